"""DeviceProfile: facts, capabilities and the micro-benchmark table of one device."""

from __future__ import annotations

import dataclasses
import datetime
import math
import re
import statistics
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from adadeep.core.device import Capability, DeviceFacts
from adadeep.core.layers import LayerSpec
from adadeep.core.measurement import Agent, Measurement, is_study
from adadeep.core.noise import NoiseModel
from adadeep.core.reader import require_hex, require_range

SESSIONS_KEPT = 200
_COMMAND = re.compile(r"[a-z]{1,20}( [A-Za-z0-9_.-]{1,40})?")
_MOST_MODELS = 1_000_000
_LONGEST_MS = 1e7
_LONGEST_RUNTIME = 100
_FEWEST_SESSIONS = 3  # to tell what a reference takes on a device, and how much it strays
_STRAY = 0.01  # of the reference's own: a ratio to it is no sharper than that


@dataclass(frozen=True, slots=True)
class ProfileEntry:
    """One real layer, measured as a .tflite of its own.

    Attributes:
        key: names the layer: "conv-28x28x16-k3s1-32-same-float32".
        layer: what it is.
        precision: name of that of its weights and activations: "int8".
        measurement: None if it failed.
        error: why it failed; None if it did not.
        reference_ms: what a small network of ours took that was measured in turn with it, in the
            same session; None where none was.
    """

    key: str
    layer: LayerSpec
    precision: str
    measurement: Measurement | None = None
    error: str | None = None
    reference_ms: float | None = None

    def __post_init__(self) -> None:
        require_range("reference_ms", 1e-9, _LONGEST_MS, self.reference_ms)

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
class ProfileReference:
    """A model that sessions measure again and again, and how long it took in one of them.

    Attributes:
        model_sha256: of the .tflite; no other name of it is kept.
        latency_ms: the median.
        device_fingerprint: of the device with its build then.
        runtime: that ran it: "ai_edge_litert 2.3.0".
        threads: of the runtime.
        core_mask: that it was pinned to, hexadecimal; None where it was not.
    """

    model_sha256: str
    latency_ms: float
    device_fingerprint: str
    runtime: str
    threads: int
    core_mask: str | None = None

    def __post_init__(self) -> None:
        require_hex("model_sha256", 64, self.model_sha256)
        require_hex("device_fingerprint", 16, self.device_fingerprint)
        require_range("latency_ms", 1e-9, _LONGEST_MS, self.latency_ms)
        require_range("threads", 1, 4096, self.threads)
        if len(self.runtime) > _LONGEST_RUNTIME:
            raise ValueError(f"runtime is longer than {_LONGEST_RUNTIME} characters")
        if self.core_mask is not None and not re.fullmatch("[0-9a-f]{1,1024}", self.core_mask):
            raise ValueError("core_mask must be hexadecimal")

    @classmethod
    def of(cls, measured: Measurement) -> ProfileReference:
        """What a profile keeps of a measurement."""
        agent, settings = measured.agent, measured.settings
        return cls(
            model_sha256=measured.model_sha256,
            latency_ms=measured.latency_ms,
            device_fingerprint=measured.device_fingerprint,
            runtime=f"{agent.runtime} {agent.runtime_version}"[:_LONGEST_RUNTIME],
            threads=settings.threads,
            core_mask=settings.core_mask,
        )

    def is_as(self, other: ProfileReference) -> bool:
        """Whether only the time may differ: the same model, measured in the same way."""
        return dataclasses.replace(self, latency_ms=other.latency_ms) == other


@dataclass(frozen=True, slots=True)
class ProfileSession:
    """A use of the device that measured something; it names no file, serial number or network.

    Attributes:
        created: when it ended: ISO 8601, UTC, in seconds.
        command: that was run: "measure", or "search mnist" with the task.
        study: under which the device kept the results meanwhile.
        models: measurements that were made, one a model.
        suspect: how many of them stayed disturbed when they were repeated.
        reference: of a search the initial network; None where none was measured undisturbed.
    """

    created: str
    command: str
    study: str
    models: int
    suspect: int = 0
    reference: ProfileReference | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", self.created, re.ASCII):
            raise ValueError('created must be like "2026-11-21T12:00:00+00:00"')
        datetime.datetime.fromisoformat(self.created)  # a day that there is
        if not _COMMAND.fullmatch(self.command):
            raise ValueError('command must be like "search mnist"')
        if not is_study(self.study):
            raise ValueError("study must be 8 hex digits")
        require_range("models", 1, _MOST_MODELS, self.models)
        require_range("suspect", 0, self.models, self.suspect)

    @property
    def day(self) -> str:
        """On which it ended: "2026-11-21"."""
        return self.created[:10]


@dataclass(frozen=True)
class DeviceProfile:
    """What is known of one device.

    Attributes:
        name: the profile's name in a library: "xiaomi-redmi-3s"; lower case, digits, "-".
        facts: identity and hardware.
        capabilities: what it lets us read.
        provenance: where this came from.
        entries: the micro-benchmark table; empty if unmeasured.
        sessions: uses of the device since, the oldest first; the last 200 of them.
        noise: how much what is measured there strays; None if that was not learned.
    """

    name: str
    facts: DeviceFacts
    capabilities: tuple[Capability, ...]
    provenance: ProfileProvenance
    entries: tuple[ProfileEntry, ...] = ()
    sessions: tuple[ProfileSession, ...] = ()
    noise: NoiseModel | None = None

    @property
    def is_measured(self) -> bool:
        """Whether at least one layer was measured on the device."""
        return any(entry.measurement for entry in self.entries)

    def latency_ms(self, entry: ProfileEntry) -> float | None:
        """What a layer takes; None if it was not measured.

        Where the reference that was measured in turn with the layers strayed between their
        sessions by more than its ratio to a layer does, that ratio times what the reference takes
        in the middle of them all: a busy second does not make a layer slow.
        """
        measured, reference_ms = entry.measurement, entry.reference_ms
        if measured is None:
            return None
        centre_ms = self._centres_ms.get(measured.target.key)
        drift = centre_ms / reference_ms if centre_ms and reference_ms else 1.0
        return measured.latency_ms * drift

    @cached_property
    def _centres_ms(self) -> dict[str, float]:
        """By target what the reference takes, of those where it strayed."""
        found: dict[str, dict[str, float]] = defaultdict(dict)
        for entry in self.entries:
            if entry.measurement and entry.reference_ms:
                one = entry.measurement
                found[one.target.key][one.session] = entry.reference_ms
        return {
            key: statistics.median(times.values())
            for key, times in found.items()
            if len(times) >= _FEWEST_SESSIONS
            and statistics.stdev(map(math.log, times.values())) > _STRAY
        }
