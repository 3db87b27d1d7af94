"""DeviceProfile <-> text: TOML of facts, JSON lines of table and sessions, JSON of the noise.

What is derived (medians, fingerprints) is not written: it would go stale. Numbers of cores are
written as "0-3,6"; the caches of one size on one line, their instances parted by "/".
"""

from __future__ import annotations

import dataclasses
import functools
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import tomli_w

from adadeep.core.device import Capability, DeviceFacts, hashed
from adadeep.core.device_profile import (
    SESSIONS_KEPT,
    DeviceProfile,
    ProfileEntry,
    ProfileProvenance,
    ProfileSession,
)
from adadeep.core.display import one_line
from adadeep.core.errors import FormatError
from adadeep.core.noise import NoiseModel
from adadeep.core.reader import plain_json, why
from adadeep.core.registry import suggestion
from adadeep.profiles.rows_0_1 import entry_of_now, is_of_0_1

SCHEMA_VERSION = 1
_HEADER = (
    "# A device profile of adadeep. cores: \"0-3,6\"; instances of a cache are parted by \"/\".\n"
    "# The measured layers are in tables/ beside devices/: raw samples, one layer a line.\n\n"
)  # fmt: skip
_TOP_KEYS = ["schema_version", "name", "provenance", "facts", "capabilities"]
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

# tomllib takes time by the square of a dotted key's parts.
_LONG_KEY = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++\s*+\.\s*+){50}""")
_MOST_CORES = 4096  # of all instances of one cache, too: they share no core
_MOST_ROWS = 100

T = TypeVar("T")


def is_profile_name(name: str) -> bool:
    """Whether it is lower case letters and digits in groups parted by "-"."""
    return bool(_NAME.fullmatch(name)) and len(name) <= 80


def core_text(cores: Sequence[int]) -> str:
    """(0, 1, 2, 3, 6) -> "0-3,6"."""
    runs: list[list[int]] = []
    for core in sorted(cores):
        if runs and core == runs[-1][1] + 1:
            runs[-1][1] = core
        else:
            runs.append([core, core])
    return ",".join(f"{a}-{b}" if b > a else f"{a}" for a, b in runs)


def parse_core_text(text: str) -> tuple[int, ...]:
    """ "0-3,6" -> (0, 1, 2, 3, 6).

    Raises:
        ValueError: the text is no such list, or one of more cores than there can be.
    """
    cores: list[int] = []
    for piece in text.split(",") if text else ():
        match = re.fullmatch(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", piece.strip())
        if not match:
            raise ValueError(f'{one_line(text, 40)!r} is no list of cores such as "0-3,6"')
        cores.extend(range(int(match[1]), int(match[2] or match[1]) + 1))
        if len(cores) > _MOST_CORES:
            raise ValueError(f"more than {_MOST_CORES} cores")
    return tuple(cores)


def to_toml(profile: DeviceProfile) -> str:
    """The profile without its table, as TOML."""
    facts = _bare(msgspec.to_builtins(publishable(profile.facts)))
    if profile.facts.clusters:
        facts["clusters"] = [
            {**_bare(msgspec.to_builtins(c)), "cores": core_text(c.cores)}
            for c in profile.facts.clusters
        ]
    if profile.facts.caches:
        facts["caches"] = _cache_rows(profile.facts)
    document = {
        "schema_version": SCHEMA_VERSION,
        "name": profile.name,
        "provenance": _bare(msgspec.to_builtins(profile.provenance)),
        "facts": facts,
        "capabilities": [_bare(msgspec.to_builtins(c)) for c in profile.capabilities],
    }
    return _HEADER + tomli_w.dumps(_bare(document))


def publishable(facts: DeviceFacts) -> DeviceFacts:
    """The facts with serial numbers hashed; those of a table of a paper have none."""
    if facts.transport == "none":
        return facts
    own = facts.hardware_serial
    if own and facts.os == "linux" and re.fullmatch("[0-9a-f]{16}", own):
        own = f"sha256:{own}"  # version 0.1.0 hashed the id of a Linux machine alone
    return dataclasses.replace(
        facts, serial=hashed(facts.serial), hardware_serial=hashed(own) if own else None
    )


def _cache_rows(facts: DeviceFacts) -> list[dict[str, Any]]:
    rows: dict[tuple[int, str, int], list[str]] = {}
    for cache in facts.caches:
        key = (cache.level, cache.type, cache.size_bytes)
        rows.setdefault(key, []).append(core_text(cache.cores))
    return [
        {"level": level, "type": kind, "size_bytes": size, "cores": "/".join(instances)}
        for (level, kind, size), instances in rows.items()
    ]


def _bare(value: Any) -> Any:
    """Without what is unknown: TOML has no null, and an empty list says nothing."""
    if isinstance(value, dict):
        bare = {key: _bare(item) for key, item in value.items()}
        return {k: v for k, v in bare.items() if v is not None and v != "" and v != [] and v != {}}
    if isinstance(value, list | tuple):
        return [_bare(item) for item in value]
    return value


def from_toml(text: str, source: str) -> DeviceProfile:
    """The profile without its table.

    Args:
        text: of the file.
        source: its name, for messages.

    Raises:
        FormatError: a newer version, no TOML, an unknown key, a wrong type, a senseless number.
    """
    return from_toml_with_former(text, source)[0]


def from_toml_with_former(text: str, source: str) -> tuple[DeviceProfile, str]:
    """The profile without its table, and the fingerprint that its measurements may bear.

    Version 0.1.0 wrote serial numbers as they are, and made the fingerprint of these. A profile
    is taken in with the hashes of now, so that it can be passed on.

    Raises:
        FormatError: see `from_toml`.
    """
    written = _as_written(text, source)
    facts = written.facts
    former = facts.fingerprint_as(facts.hardware_serial or facts.serial)
    return dataclasses.replace(written, facts=publishable(facts)), former


def _as_written(text: str, source: str) -> DeviceProfile:
    document = _document(text, source)
    _no_unknown(document, _TOP_KEYS, source, "")
    facts = dict(_table(document, "facts", source))
    facts["clusters"] = _clusters(facts.get("clusters", []), source)
    facts["caches"] = _caches(facts.get("caches", []), source)
    name = document.get("name")
    if not isinstance(name, str) or not is_profile_name(name):
        raise FormatError(f"{source}: key 'name' must be lower case letters, digits and \"-\".")
    capabilities = document.get("capabilities", [])
    return DeviceProfile(
        name=name,
        facts=_convert(facts, DeviceFacts, source, "facts"),
        capabilities=tuple(_convert(capabilities, list[Capability], source, "capabilities")),
        provenance=_convert(
            _table(document, "provenance", source), ProfileProvenance, source, "provenance"
        ),
    )


def _document(text: str, source: str) -> dict[str, Any]:
    if _LONG_KEY.search(text):
        raise FormatError(f"{source}: no TOML of ours: nested too deeply; restore it from a copy.")
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # of the digits of a number, too
        raise FormatError(
            f"{source}: no TOML: {why(error)}; mend it, or restore it from a copy."
        ) from error
    version = document.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise FormatError(f"{source}: key 'schema_version' must be {SCHEMA_VERSION}.")
    if version > SCHEMA_VERSION:
        raise FormatError(
            f"{source}: schema_version is newer, but this adadeep reads up to "
            f"{SCHEMA_VERSION}; upgrade adadeep to read it."
        )
    return document


def _table(document: Mapping[str, Any], key: str, source: str) -> Mapping[str, Any]:
    table = document.get(key)
    if not isinstance(table, dict):
        raise FormatError(f"{source}: key '{key}' must be there and be a table.")
    return table


def _rows(rows: Any, source: str, where: str) -> Iterable[tuple[str, dict[str, Any], str]]:
    """(place, row, text of its key "cores") of an array of tables."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise FormatError(f"{source}: key '{where}' must be an array of tables.")
    if len(rows) > _MOST_ROWS:
        raise FormatError(f"{source}: key '{where}' has more than {_MOST_ROWS} rows.")
    for index, row in enumerate(rows):
        text = row.get("cores", "")
        if not isinstance(text, str):
            raise FormatError(f"{source}: key '{where}[{index}].cores' must be like \"0-3,6\".")
        yield f"{where}[{index}]", row, text


def _cores(text: str, source: str, where: str) -> tuple[int, ...]:
    try:
        return parse_core_text(text)
    except ValueError as error:
        raise FormatError(f"{source}: key '{where}.cores': {error}.") from error


def _clusters(rows: Any, source: str) -> list[dict[str, Any]]:
    return [
        {**row, "cores": _cores(text, source, where)}
        for where, row, text in _rows(rows, source, "facts.clusters")
    ]


def _caches(rows: Any, source: str) -> list[dict[str, Any]]:
    caches = []
    for where, row, text in _rows(rows, source, "facts.caches"):
        _cores(text.replace("/", ",").strip(","), source, where)  # all together: not too many
        for instance in text.split("/"):
            caches.append({**row, "cores": _cores(instance, source, where)})
    return caches


def _convert(value: Any, kind: type[T], source: str, where: str) -> T:
    """The value as that type; unknown keys are refused.

    Raises:
        FormatError: naming the file and the key.
    """
    _check_keys(value, kind, source, where)
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        message, _, path = str(error).partition(" - at `$")
        place = f"{where}{path.rstrip('`')}".lstrip(".")
        shown = one_line(message).rstrip(".")
        raise FormatError(f"{source}: key '{place}': {shown}.") from error


def _check_keys(value: Any, kind: Any, source: str, where: str) -> None:
    """Goes down dataclasses, lists and optional values, and refuses keys that are no fields."""
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        inner = [argument for argument in arguments if argument is not types.NoneType]
        if len(inner) == 1:
            _check_keys(value, inner[0], source, where)
    elif isinstance(value, list | tuple) and typing.get_origin(kind) in (list, tuple):
        for index, item in enumerate(value) if dataclasses.is_dataclass(arguments[0]) else ():
            _check_keys(item, arguments[0], source, f"{where}[{index}]")
    elif isinstance(kind, type) and dataclasses.is_dataclass(kind) and isinstance(value, dict):
        hints = _hints(kind)
        _no_unknown(value, list(hints), source, where)
        for key, item in value.items():
            _check_keys(item, hints[key], source, f"{where}.{key}")


@functools.cache  # a table has a thousand blocks
def _hints(kind: Any) -> dict[str, Any]:
    """The types of a dataclass's fields, by name."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _no_unknown(value: Mapping[str, Any], known: list[str], source: str, where: str) -> None:
    for key in value:
        if key not in known:
            place = f"{where}.{one_line(key, 80)}".lstrip(".")
            raise FormatError(f"{source}: unknown key '{place}'.{suggestion(key[:80], known)}")


def to_json_lines(entries: Iterable[ProfileEntry]) -> str:
    """One entry a line; the order of the keys is the same in every file."""
    return "".join(msgspec.json.encode(_as_row(entry)).decode() + "\n" for entry in entries)


def _as_row(entry: ProfileEntry) -> dict[str, Any]:
    """The entry as plain values; a layer that is described alone has no inputs to write."""
    row: dict[str, Any] = msgspec.to_builtins(entry, order="deterministic")
    if not entry.layer.inputs:
        del row["layer"]["inputs"]
    if entry.reference_ms is None:
        del row["reference_ms"]
    return row


def from_json_lines(text: str, source: str) -> tuple[ProfileEntry, ...]:
    """The entries of a table.

    Raises:
        FormatError: naming the file, the line and the key.
    """
    entries = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            entries.append(_entry(line, f"{source}, line {number}"))
    return tuple(entries)


def _entry(line: str, source: str) -> ProfileEntry:
    row = plain_json(line, source)
    if is_of_0_1(row):
        row = entry_of_now(row)
    return _convert(row, ProfileEntry, source, "")


def sessions_to_lines(sessions: Iterable[ProfileSession]) -> str:
    """One session a line."""
    return "".join(msgspec.json.encode(session).decode() + "\n" for session in sessions)


def sessions_from_lines(text: str, source: str) -> tuple[ProfileSession, ...]:
    """The last sessions, as many as are kept.

    Raises:
        FormatError: naming the file, the line and the key.
    """
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    sessions = []
    for number, line in lines[-SESSIONS_KEPT:]:
        where = f"{source}, line {number}"
        sessions.append(_convert(plain_json(line, where), ProfileSession, where, ""))
    return tuple(sessions)


def noise_to_json(noise: NoiseModel) -> str:
    """How much a device strays, as a file that can be read and compared."""
    return msgspec.json.format(msgspec.json.encode(noise), indent=1).decode() + "\n"


def noise_from_json(text: str, source: str) -> NoiseModel:
    """How much a device strays.

    Raises:
        FormatError: naming the file and the key.
    """
    return _convert(plain_json(text, source), NoiseModel, source, "")
