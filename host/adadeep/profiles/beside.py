"""What lies beside a profile's tables: the sessions that used its device, and its noise."""

from __future__ import annotations

from pathlib import Path

from adadeep.core.device_profile import ProfileSession
from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.noise import NoiseModel
from adadeep.profiles.library import read_text
from adadeep.profiles.schema import noise_from_json, sessions_from_lines

_MOST_SESSIONS_BYTES = 1_000_000
_MOST_NOISE_BYTES = 4_000_000


def read_sessions(path: Path) -> tuple[ProfileSession, ...]:
    """The sessions in a file; none where it is not there.

    Raises:
        FormatError: it can't be read.
    """
    if not path.exists():
        return ()
    try:
        return sessions_from_lines(read_text(path, _MOST_SESSIONS_BYTES), str(path))
    except ConfigError as error:
        raise FormatError(
            f"{error} Or remove that file: a profile does without its sessions."
        ) from error


def read_noise(path: Path) -> NoiseModel | None:
    """The noise in a file; None where it is not there.

    Raises:
        FormatError: it can't be read.
    """
    if not path.exists():
        return None
    try:
        return noise_from_json(read_text(path, _MOST_NOISE_BYTES), str(path))
    except ConfigError as error:
        raise FormatError(
            f"{error} Or remove that file: adadeep-profile learns the device's noise anew."
        ) from error
