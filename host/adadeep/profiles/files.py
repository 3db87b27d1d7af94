"""Where profiles lie, and reading and writing them there.

A library is a folder with ``devices/VENDOR/NAME.toml``, ``tables/NAME/RUNTIME-tTHREADS.jsonl``,
``sessions/NAME.jsonl`` and ``noise/NAME.json``. There are two: the user's, and the one that comes
with adadeep, which is only read. Who writes holds a lock on the user's from reading to writing, so
that two commands at once undo nothing of each other.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from adadeep.core.device import DeviceFacts, hashed
from adadeep.core.device_profile import (
    SESSIONS_KEPT,
    DeviceProfile,
    ProfileEntry,
)
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.files import remove_parts
from adadeep.core.places import expanded
from adadeep.core.registry import suggestion
from adadeep.profiles.beside import read_noise, read_sessions
from adadeep.profiles.library import (
    library_dir,
    noise_file,
    read_text,
    sessions_file,
    shipped_dir,
    table_files,
    tables_dir,
    users_files,
    write_text,
    writing,
)
from adadeep.profiles.schema import (
    from_json_lines,
    from_toml,
    from_toml_with_former,
    is_profile_name,
    noise_to_json,
    sessions_to_lines,
    to_json_lines,
    to_toml,
)

UNFINISHED = "-unfinished"  # ends the name of a profile that grows

_MOST_TOML_BYTES = 1_000_000
_KILLED_S = 3600.0  # writers of before the lock: what was written to an hour ago has none now


@dataclass(frozen=True, slots=True)
class ProfileSummary:
    """A row of `adadeep profiles list`.

    Attributes:
        name: of the profile.
        path: of its TOML file.
        shipped: whether it is of the library that comes with adadeep.
        title: of the device; None if the file can't be read.
        soc: of the device.
        created: when it was written.
        entries: measured layers, or failed ones.
        problem: why the file can't be read; None if it can.
    """

    name: str
    path: Path
    shipped: bool
    title: str | None = None
    soc: str | None = None
    created: str | None = None
    entries: int = 0
    problem: str | None = None


def save(profile: DeviceProfile) -> Path:
    """Writes a profile to the user's library, in place of what is there under its name.

    Each file is written whole or not at all. Tables that the profile no longer has are removed,
    and so is what killed writers left.

    Returns:
        The TOML file.

    Raises:
        ConfigError: the library can't be written, or the name is no profile name.
    """
    with writing() as root:
        return _save(root, profile)


def update(
    name: str, change: Callable[[DeviceProfile | None], DeviceProfile], instead_of: str = ""
) -> DeviceProfile:
    """Changes a profile of the user's library; from reading to writing nobody else writes there.

    Args:
        name: of the profile.
        change: makes the new one of what is there under that name, None if nothing is. It may
            read the library, but not write it.
        instead_of: name of another profile, which is removed then.

    Returns:
        The new one.

    Raises:
        ConfigError: the library can't be read or written.
    """
    with writing() as root:
        profile = change(load(name) if is_users(name) else None)
        _save(root, profile)
        if instead_of:
            _remove(instead_of)
    return profile


def _save(root: Path, profile: DeviceProfile) -> Path:
    if not is_profile_name(profile.name):
        raise ConfigError(f"{profile.name!r} is no profile name; use a-z, 0-9 and '-'.")
    vendor = _slug(profile.facts.manufacturer or "") or "generic"
    path = root / "devices" / vendor / f"{profile.name}.toml"
    tables = tables_dir(path, profile.name)
    written = set()
    for file, entries in _by_table(profile).items():
        written.add(write_text(tables / file, to_json_lines(entries)))
    sessions = sessions_file(path, profile.name)
    if profile.sessions:
        write_text(sessions, sessions_to_lines(profile.sessions[-SESSIONS_KEPT:]))
    else:
        sessions.unlink(missing_ok=True)
    noise = noise_file(path, profile.name)
    if profile.noise is not None:
        write_text(noise, noise_to_json(profile.noise))
    else:
        noise.unlink(missing_ok=True)
    write_text(path, to_toml(profile))
    stale = set(table_files(path, profile.name)) - written
    others = {p for p in root.glob(f"devices/*/{profile.name}.toml")} - {path}
    for old in stale | others:
        old.unlink()
    remove_leftovers(root)
    return path


def remove_leftovers(root: Path) -> None:
    """Removes what writers that were killed left in a library."""
    beside = (root / "sessions", root / "noise")
    for folder in (*root.glob("devices/*"), *root.glob("tables/*"), *beside):
        with contextlib.suppress(OSError):  # the profile is written; this is tidying
            remove_parts(folder, _KILLED_S)


def _by_table(profile: DeviceProfile) -> dict[str, list[ProfileEntry]]:
    """Entries by file; a layer that failed goes with the others of the profile."""
    agent = profile.provenance.agent
    names = [_table_name(entry) for entry in profile.entries]
    usual = next((name for name in names if name), f"{agent.runtime if agent else 'unknown'}-t1")
    tables: dict[str, list[ProfileEntry]] = {}
    for name, entry in zip(names, profile.entries, strict=True):
        tables.setdefault(f"{name or usual}.jsonl", []).append(entry)
    return tables


def _table_name(entry: ProfileEntry) -> str | None:
    if entry.measurement is None:
        return None
    runtime = re.sub(r"[^A-Za-z0-9_.]+", "_", entry.measurement.agent.runtime)
    return f"{runtime}-t{entry.measurement.settings.threads}"


def _remove(name: str) -> None:
    for path in library_dir().glob(f"devices/*/{name}.toml"):
        for table in table_files(path, name):
            table.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            tables_dir(path, name).rmdir()
        sessions_file(path, name).unlink(missing_ok=True)
        noise_file(path, name).unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def load(name: str) -> DeviceProfile:
    """The profile of that name, or in that file, with its table and its sessions.

    Raises:
        ConfigError: there is none.
        FormatError: a file of it can't be read.
    """
    profile, problem = load_to_use(name)
    if problem is not None:
        raise problem
    return profile


def load_to_use(name: str) -> tuple[DeviceProfile, FormatError | None]:
    """As `load`, but sessions and noise that can't be read are left out: measuring does without.

    Returns:
        The profile, and why something is left out; None if nothing is.

    Raises:
        ConfigError: there is none.
        FormatError: another file of it can't be read.
    """
    path = find(name)
    profile, former = from_toml_with_former(read_text(path, _MOST_TOML_BYTES), str(path))
    entries: list[ProfileEntry] = []
    for table in table_files(path, profile.name):
        entries.extend(from_json_lines(read_text(table), str(table)))
    now = profile.facts.fingerprint
    profile = replace(profile, entries=tuple(_renamed(entry, former, now) for entry in entries))
    problem = None
    try:
        profile = replace(profile, sessions=read_sessions(sessions_file(path, profile.name)))
    except FormatError as error:
        problem = error
    try:
        return replace(profile, noise=read_noise(noise_file(path, profile.name))), problem
    except FormatError as error:
        return profile, problem or error


def _renamed(entry: ProfileEntry, former: str, now: str) -> ProfileEntry:
    """The entry with the fingerprint that its device has now; another device's stays as it is."""
    measured = entry.measurement
    if measured is None or measured.device_fingerprint != former:
        return entry
    return replace(entry, measurement=replace(measured, device_fingerprint=now))


def find(name: str) -> Path:
    """The TOML file of a profile; the user's library comes before the shipped one.

    Args:
        name: of a profile, or the path of a TOML file.

    Raises:
        ConfigError: there is none.
    """
    if name.endswith(".toml") or os.sep in name:
        path = expanded(name)
        with contextlib.suppress(OSError, ValueError):  # too long, or a null byte
            if path.exists():
                return path  # reading it tells whether it can be read
        shown = one_line(name, 100)
        raise ConfigError(f"there is no profile file {shown}; see: adadeep profiles list.")
    known = {found.stem: found for found, _ in _profile_files()}
    if name not in known:
        hint = suggestion(name, list(known))
        raise ConfigError(
            f"there is no profile {one_line(name, 100)!r}.{hint} See what there is: "
            "adadeep profiles list."
        )
    return known[name]


def exists(name: str) -> bool:
    """Whether one of the libraries has a profile of that name."""
    return any(path.stem == name for path, _ in _profile_files())


def is_users(name: str) -> bool:
    """Whether the user's library has a profile of that name."""
    return bool(users_files(name))


def is_measured(serial: str) -> bool:
    """Whether the user's library has measured layers of the device attached as that.

    What can't be read counts for nothing.
    """
    with contextlib.suppress(ConfigError):
        for path in library_dir().glob("devices/*/*.toml"):
            if _serial_in(path) == hashed(serial) and table_files(path, path.stem):
                return True
    return False


def _serial_in(path: Path) -> str | None:
    try:
        return from_toml(read_text(path, _MOST_TOML_BYTES), str(path)).facts.serial
    except ConfigError:
        return None


def _profile_files() -> Iterator[tuple[Path, bool]]:
    """(file, whether shipped) of every profile; of one name the user's only."""
    seen: set[str] = set()
    for root, shipped in ((library_dir(), False), (shipped_dir(), True)):
        paths = sorted(root.glob("devices/*/*.toml"), key=lambda path: path.stem)
        for path in paths:
            if path.stem not in seen and not path.name.startswith("."):
                seen.add(path.stem)
                yield path, shipped


def list_profiles() -> list[ProfileSummary]:
    """Every profile, the user's first; a file that can't be read is listed with its problem."""
    return [_summary(path, shipped) for path, shipped in _profile_files()]


def _summary(path: Path, shipped: bool) -> ProfileSummary:
    try:
        profile = from_toml(read_text(path, _MOST_TOML_BYTES), str(path))
        tables = table_files(path, profile.name)
        entries = sum(sum(map(bool, read_text(table).split("\n"))) for table in tables)
    except ConfigError as error:
        return ProfileSummary(path.stem, path, shipped, problem=str(error))
    return ProfileSummary(
        name=path.stem,
        path=path,
        shipped=shipped,
        title=profile.facts.title,
        soc=profile.facts.soc,
        created=profile.provenance.created,
        entries=entries,
    )


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].strip("-")


def name_for(facts: DeviceFacts) -> str:
    """The name of this device's profile: "xiaomi-redmi-3s", or "xiaomi-redmi-3s-2" for another.

    A device keeps its name over updates of its system; another one of the same model gets a
    number, also while the first one's profile grows. Shipped profiles don't count: one's own takes
    the place of the shipped.
    """
    base = _slug(facts.title) or "device"
    number = 1
    while True:
        name = base if number == 1 else f"{base}-{number}"
        taken = [*users_files(name), *users_files(name + UNFINISHED)]
        if all(_is_of(path, facts) for path in taken):
            return name
        number += 1


def name_of(facts: DeviceFacts) -> str | None:
    """The name of the user's profile of this device with this build; None if there is none.

    The usual name comes first, then those that `--name` gave, then what is unfinished. What can't
    be read counts for nothing.
    """
    try:
        usual = name_for(facts)
        others = sorted(users_files("*"), key=lambda path: path.stem.endswith(UNFINISHED))
    except ConfigError:
        return None
    visible = (path for path in [*users_files(usual), *others] if not path.name.startswith("."))
    return next((path.stem for path in visible if _is_of(path, facts, exactly=True)), None)


def _is_of(path: Path, facts: DeviceFacts, exactly: bool = False) -> bool:
    """Whether it is this device's profile; exactly: and of this build of its system."""
    try:
        theirs = from_toml(read_text(path, _MOST_TOML_BYTES), str(path)).facts
    except ConfigError:
        return False  # unreadable: leave it alone
    if theirs.fingerprint == facts.fingerprint:
        return True
    if exactly:
        return False
    return facts.hardware_serial is not None and theirs.hardware_serial == facts.hardware_serial
