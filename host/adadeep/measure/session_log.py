"""What a session measures on a device, and its line in the device's profile."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

from adadeep.core.device import DeviceFacts
from adadeep.core.device_profile import ProfileReference, ProfileSession
from adadeep.core.errors import ConfigError
from adadeep.core.session import MeasuredTogether
from adadeep.measure.reference_models import made_references
from adadeep.profiles import uses
from adadeep.profiles.noise import NoiseSource


@dataclass(slots=True)
class Tally:
    """Counts what was measured.

    Attributes:
        models: measurements.
        suspect: those that were disturbed.
        undisturbed: the last of the others, by the model's hash, without their samples.
        sessions: what the device's noise is learned from.
    """

    models: int = 0
    suspect: int = 0
    undisturbed: dict[str, ProfileReference] = field(default_factory=dict)
    sessions: list[MeasuredTogether] = field(default_factory=list)

    def take(self, session: MeasuredTogether) -> None:
        """Counts its models."""
        self.sessions.append(session)
        for measured in session.measurements:
            self.models += 1
            if measured.disturbed:
                self.suspect += 1
                continue
            with contextlib.suppress(ValueError):  # what no profile would take is no reference
                self.undisturbed[measured.model_sha256] = ProfileReference.of(measured)


def _without_reference() -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class SessionLog:
    """How a session is told to the device's profile.

    Attributes:
        command: that is run: "measure", or "search mnist" with the task.
        warn: is told in one sentence why the profile can't be written.
        reference: the hash of the model whose latency is kept, asked for at the end; None if there
            is none.
    """

    command: str
    warn: Callable[[str], None]
    reference: Callable[[], str | None] = _without_reference

    def write(self, facts: DeviceFacts, study: str, tally: Tally) -> None:
        """Appends to the profile of the device, if it has one and something was measured.

        A profile that can't be written is a warning: the measurements have their own place.
        """
        if not tally.models:
            return
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        try:
            session = ProfileSession(
                created=now,
                command=self.command,
                study=study,
                models=tally.models,
                suspect=tally.suspect,
                reference=tally.undisturbed.get(self.reference() or ""),
            )
            source = NoiseSource(tally.sessions, made_references())
            uses.append_session(facts, session, source)
        except (ConfigError, ValueError) as error:
            self.warn(f"this session is not noted in the device's profile: {error}")
