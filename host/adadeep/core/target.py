"""Target: what a measurement is of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from adadeep.core.measurement import MeasureSettings

CPU = "cpu"


@dataclass(frozen=True, slots=True)
class Target:
    """A device and the way in which models run on it.

    Attributes:
        device_fingerprint: DeviceFacts.fingerprint.
        device_title: for people; not part of the key.
        agent: kind of the agent that measures: "linux-python".
        runtime: "ai_edge_litert", ...
        runtime_version: of it.
        settings: how a model is measured.
        accelerator: what runs the nodes: "cpu".
    """

    device_fingerprint: str
    device_title: str
    agent: str
    runtime: str
    runtime_version: str
    settings: MeasureSettings
    accelerator: str = CPU

    @property
    def key(self) -> str:
        """8 hex digits that name this target in a run's folder."""
        content = {**asdict(self), "settings": self.settings.key}
        del content["device_title"]
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def measurement_key(model_sha256: str, target: Target) -> str:
    """The cache key of a model's measurement on a target."""
    return f"{model_sha256[:16]}-{target.device_fingerprint}-{target.settings.key}"
