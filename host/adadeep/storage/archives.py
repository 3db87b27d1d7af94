"""Zip archives (.npz, .keras): bounded before anything of them is unpacked."""

from __future__ import annotations

import io
from pathlib import Path
from zipfile import ZipFile

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.reader import MAX_FILE_BYTES, read_bytes

_MOST_MEMBERS = 100


def open_zip(path: Path, most_bytes: int = MAX_FILE_BYTES) -> ZipFile:
    """An archive whose members take at most so many bytes, packed and unpacked.

    What a member is said to take is all that `zipfile` reads of it.

    Raises:
        ConfigError: it can't be read, or is no regular file.
        FormatError: the file itself is too large.
        ValueError: its members are.
        BadZipFile: it is no archive (`zipfile` raises others, too).
    """
    archive = ZipFile(io.BytesIO(read_bytes(path, most_bytes)))
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS or sum(m.file_size for m in members) > most_bytes:
        raise ValueError(f"it unpacks to more than {most_bytes / 1e6:g} MB")
    return archive


def require_bounded(path: Path, most_bytes: int) -> None:
    """For an archive that is too large to be held whole, and unpacked too: looks at its list.

    What a member is said to take is all that `zipfile` reads of it.

    Raises:
        ConfigError: it can't be read, or is no regular file.
        ValueError: its members take more than so many bytes.
        BadZipFile: it is no archive (`zipfile` raises others, too).
    """
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"{one_line(str(path))} is no file; name a file.")
        with ZipFile(path) as archive:
            members = archive.infolist()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"{one_line(str(path))} can't be read: {reason}. Check its name and mode."
        ) from error
    if len(members) > _MOST_MEMBERS or sum(m.file_size for m in members) > most_bytes:
        raise ValueError(f"it unpacks to more than {most_bytes / 1e6:.0f} MB")
