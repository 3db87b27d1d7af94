"""Check: what `adadeep doctor` says of one thing that a device needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """What came of a check."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a device.

    Attributes:
        name: for example "shell".
        status: what came of it.
        evidence: what was seen.
        remedy: what to do; None where all is well.
    """

    name: str
    status: CheckStatus
    evidence: str
    remedy: str | None = None
