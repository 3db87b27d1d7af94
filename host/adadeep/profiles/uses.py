"""What a use of a device adds to its profile: a session, and what that tells of its noise."""

from __future__ import annotations

import contextlib
from pathlib import Path

from adadeep.core.device import DeviceFacts
from adadeep.core.device_profile import SESSIONS_KEPT, ProfileSession
from adadeep.core.errors import ConfigError
from adadeep.core.noise import NoiseModel
from adadeep.profiles import files
from adadeep.profiles.beside import read_noise, read_sessions
from adadeep.profiles.library import noise_file, sessions_file, write_text, writing
from adadeep.profiles.noise import NoiseSource, learned_of
from adadeep.profiles.schema import noise_to_json, sessions_to_lines


def append_session(
    facts: DeviceFacts, session: ProfileSession, measured: NoiseSource | None = None
) -> bool:
    """Appends to the sessions of the device's profile; the oldest beyond 200 go.

    Args:
        facts: of the device.
        session: what was done with it.
        measured: from which the profile learns how much the device strays.

    Returns:
        Whether the user's library has a profile of this device, with this build of its system.

    Raises:
        ConfigError: the sessions or the noise there can't be read, or can't be written.
    """
    if files.name_of(facts) is None:
        return False
    with writing() as root:
        name = files.name_of(facts)  # while this one waited it may have got another
        if name is None:
            return False
        toml = files.find(name)
        path = sessions_file(toml, name)
        sessions = (*read_sessions(path), session)[-SESSIONS_KEPT:]
        write_text(path, sessions_to_lines(sessions))
        if measured and measured.sessions:
            _learn(noise_file(toml, name), facts, measured)
        files.remove_leftovers(root)
    return True


def _learn(path: Path, facts: DeviceFacts, measured: NoiseSource) -> None:
    known = read_noise(path)
    learned = learned_of(facts, known, measured)
    if learned is not None and learned != known:
        write_text(path, noise_to_json(learned))


def noise_of(facts: DeviceFacts) -> NoiseModel | None:
    """How much the device strays, as its profile says; None where that can't be told."""
    name = files.name_of(facts)
    with contextlib.suppress(ConfigError):
        return read_noise(noise_file(files.find(name), name)) if name else None
    return None
