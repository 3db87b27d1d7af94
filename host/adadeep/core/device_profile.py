"""DeviceProfile: facts, capabilities and the micro-benchmark table of one device."""

from __future__ import annotations

from dataclasses import dataclass

from adadeep.core.device import Capability, DeviceFacts
from adadeep.core.layers import LayerSpec
from adadeep.core.measurement import Agent, Measurement, is_study


@dataclass(frozen=True, slots=True)
class ProfileEntry:
    """One real layer, measured as a .tflite of its own.

    Attributes:
        key: names the layer: "conv-28x28x16-k3s1-32-same-float32".
        layer: what it is.
        precision: name of that of its weights and activations: "int8".
        measurement: None if it failed.
        error: why it failed; None if it did not.
    """

    key: str
    layer: LayerSpec
    precision: str
    measurement: Measurement | None = None
    error: str | None = None

    @property
    def slot(self) -> tuple[str, str, int]:
        """Layer, runtime and threads: a profile has one entry in each slot."""
        if self.measurement is None:
            return self.key, "", 0
        return self.key, self.measurement.agent.runtime, self.measurement.settings.threads


@dataclass(frozen=True, slots=True)
class ProfileProvenance:
    """Where a profile came from.

    Attributes:
        created: ISO 8601, UTC.
        adadeep_version: that wrote it.
        agent: that measured; None if nothing was measured.
        note: for people, for example "facts from Table 3 of the AdaDeep paper; unmeasured".
        study: of an unfinished profile: what it left on the device bears this name.
    """

    created: str
    adadeep_version: str
    agent: Agent | None = None
    note: str = ""
    study: str | None = None

    def __post_init__(self) -> None:
        if self.study is not None and not is_study(self.study):
            raise ValueError("study must be 8 hex digits")


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """What is known of one device.

    Attributes:
        name: the profile's name in a library: "xiaomi-redmi-3s"; lower case, digits, "-".
        facts: identity and hardware.
        capabilities: what it lets us read.
        provenance: where this came from.
        entries: the micro-benchmark table; empty if unmeasured.
    """

    name: str
    facts: DeviceFacts
    capabilities: tuple[Capability, ...]
    provenance: ProfileProvenance
    entries: tuple[ProfileEntry, ...] = ()

    @property
    def is_measured(self) -> bool:
        """Whether at least one layer was measured on the device."""
        return any(entry.measurement for entry in self.entries)
