"""Target: what a measurement is of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from adadeep.core.measure_settings import MeasureSettings

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
        scheduling: where the system lets the agent run, "cpuset /foreground, cores 0-7": on
            Android a shell and an app differ in it. None where that is not asked.
    """

    device_fingerprint: str
    device_title: str
    agent: str
    runtime: str
    runtime_version: str
    settings: MeasureSettings
    accelerator: str = CPU
    scheduling: str | None = None

    @property
    def key(self) -> str:
        """8 hex digits that name it: measurements of equal keys may stand for each other."""
        parts = (
            self.device_fingerprint, self.agent, self.runtime, self.runtime_version,
            self.accelerator, self.settings.key, *filter(None, [self.scheduling]),
        )  # fmt: skip
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]
