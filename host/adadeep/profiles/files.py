"""Where profiles lie, and reading and writing them there.

A library is a folder with ``devices/VENDOR/NAME.toml`` and ``tables/NAME/RUNTIME-tTHREADS.jsonl``.
There are two: the user's, and the one that comes with adadeep, which is only read.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from adadeep.core.device import DeviceFacts, hashed
from adadeep.core.device_profile import DeviceProfile, ProfileEntry
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.places import expanded
from adadeep.core.reader import MAX_FILE_BYTES, read_bytes
from adadeep.core.registry import suggestion
from adadeep.profiles.schema import (
    from_json_lines,
    from_toml,
    from_toml_with_former,
    is_profile_name,
    to_json_lines,
    to_toml,
)

_MOST_TOML_BYTES = 1_000_000


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


def library_dir() -> Path:
    """The user's library: $ADADEEP_LIBRARY, else in the platform's data folder.

    Raises:
        ConfigError: something is there that can't be a library, or can't be read.
    """
    own = os.environ.get("ADADEEP_LIBRARY")
    folder = expanded(own) if own else _usual_library()
    try:
        with os.scandir(folder):
            pass
    except FileNotFoundError:
        pass  # it is made when something is saved
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"the profile library {one_line(str(folder), 200)} can't be read ({reason}); set "
            "ADADEEP_LIBRARY to another folder."
        ) from error
    return folder


def _usual_library() -> Path:
    if sys.platform == "darwin":
        data = expanded("~/Library/Application Support")
    else:
        data = expanded(os.environ.get("XDG_DATA_HOME") or "~/.local/share")
    return data / "adadeep" / "profiles"


def shipped_dir() -> Path:
    """The library that comes with adadeep: packaged, or in an editable install the checkout's."""
    package = Path(str(importlib.resources.files("adadeep")))
    packaged = package / "_data" / "profiles"
    return packaged if packaged.is_dir() else package.parents[1] / "profiles"


def save(profile: DeviceProfile) -> Path:
    """Writes a profile to the user's library, each file whole or not at all.

    Tables that the profile no longer has are removed.

    Returns:
        The TOML file.

    Raises:
        ConfigError: the library can't be written, or the name is no profile name.
    """
    if not is_profile_name(profile.name):
        raise ConfigError(f"{profile.name!r} is no profile name; use a-z, 0-9 and '-'.")
    root = library_dir()
    vendor = _slug(profile.facts.manufacturer or "") or "generic"
    path = root / "devices" / vendor / f"{profile.name}.toml"
    tables = _tables_dir(path, profile.name)
    try:
        written = set()
        for file, entries in _by_table(profile).items():
            written.add(_write(tables / file, to_json_lines(entries)))
        _write(path, to_toml(profile))
        stale = {p for p in tables.glob("*.jsonl") if tables.is_dir()} - written
        others = {p for p in root.glob(f"devices/*/{profile.name}.toml")} - {path}
        for old in stale | others:
            old.unlink()
    except OSError as error:
        raise ConfigError(
            f"the profile library {root} can't be written ({error.strerror}); make it writable "
            "or set ADADEEP_LIBRARY to another folder."
        ) from error
    return path


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


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return path


def _remove_left(folder: Path) -> None:
    """Removes what killed processes were writing there."""
    for left in folder.glob(".*.part"):
        writer = left.name.split(".")[-2]
        if writer.isdecimal() and not _runs(int(writer)):
            left.unlink(missing_ok=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True


def remove(name: str) -> None:
    """Removes a profile from the user's library; one that is not there is passed over."""
    if not is_profile_name(name):
        return
    for path in library_dir().glob(f"devices/*/{name}.toml"):
        for table in _table_files(path, name):
            table.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            _tables_dir(path, name).rmdir()
        path.unlink(missing_ok=True)


def load(name: str) -> DeviceProfile:
    """The profile of that name, or in that file, with its table.

    Raises:
        ConfigError: there is none.
        FormatError: a file of it can't be read.
    """
    path = find(name)
    profile, former = from_toml_with_former(_read(path, _MOST_TOML_BYTES), str(path))
    entries: list[ProfileEntry] = []
    for table in _table_files(path, profile.name):
        entries.extend(from_json_lines(_read(table), str(table)))
    now = profile.facts.fingerprint
    return replace(profile, entries=tuple(_renamed(entry, former, now) for entry in entries))


def _renamed(entry: ProfileEntry, former: str, now: str) -> ProfileEntry:
    """The entry with the fingerprint that its device has now; another device's stays as it is."""
    measured = entry.measurement
    if measured is None or measured.device_fingerprint != former:
        return entry
    return replace(entry, measurement=replace(measured, device_fingerprint=now))


def _read(path: Path, most_bytes: int = MAX_FILE_BYTES) -> str:
    data = read_bytes(path, most_bytes)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{path}: no UTF-8 text at byte {error.start}; restore it from a copy."
        ) from error


def _tables_dir(path: Path, name: str) -> Path:
    """The folder of a profile's tables; a TOML file outside a library has them beside it."""
    in_library = path.parent.parent.name == "devices"
    return (path.parents[2] if in_library else path.parent) / "tables" / name


def _table_files(path: Path, name: str) -> list[Path]:
    return sorted(_tables_dir(path, name).glob("*.jsonl"))


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
    return any(library_dir().glob(f"devices/*/{name}.toml"))


def is_measured(serial: str) -> bool:
    """Whether the user's library has measured layers of the device attached as that.

    What can't be read counts for nothing.
    """
    with contextlib.suppress(ConfigError):
        for path in library_dir().glob("devices/*/*.toml"):
            if _serial_in(path) == hashed(serial) and _table_files(path, path.stem):
                return True
    return False


def _serial_in(path: Path) -> str | None:
    try:
        return from_toml(_read(path, _MOST_TOML_BYTES), str(path)).facts.serial
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
        profile = from_toml(_read(path, _MOST_TOML_BYTES), str(path))
        tables = _table_files(path, profile.name)
        entries = sum(sum(map(bool, _read(table).split("\n"))) for table in tables)
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
    number. Shipped profiles don't count: one's own takes the place of the shipped.
    """
    base = _slug(facts.title) or "device"
    number = 1
    while True:
        name = base if number == 1 else f"{base}-{number}"
        taken = list(library_dir().glob(f"devices/*/{name}.toml"))
        if not taken or _is_of(taken[0], facts):
            return name
        number += 1


def _is_of(path: Path, facts: DeviceFacts) -> bool:
    try:
        theirs = from_toml(_read(path, _MOST_TOML_BYTES), str(path)).facts
    except ConfigError:
        return False  # unreadable: leave it alone
    if theirs.fingerprint == facts.fingerprint:
        return True
    return facts.hardware_serial is not None and theirs.hardware_serial == facts.hardware_serial
