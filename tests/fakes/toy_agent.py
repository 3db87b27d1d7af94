"""An agent that is ready on a device that a test plays."""

from __future__ import annotations

import dataclasses
from typing import Any

from adadeep.core.clock import Deadline


@dataclasses.dataclass(frozen=True)
class ToyAgent:
    """A `ReadyAgent` of a language that nobody knows."""

    transport: Any
    remedies: dict[str, str] = dataclasses.field(default_factory=dict)

    def open(self, deadline: Deadline) -> Any:
        return self.transport.open("toy serve /w", deadline)

    def push(self, deadline: Deadline, lacking: str = "") -> None:
        self.transport.push(b"toy", f"/w/{lacking or 'toy'}", deadline)

    def leave(self, deadline: Deadline) -> None: ...
