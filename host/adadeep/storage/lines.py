"""A file of JSON lines that is only appended to, and survives being cut off anywhere."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path
from typing import Any

from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.reader import plain_json, read_bytes, to_json

MAX_BYTES = 256_000_000  # thousands of plans with all their samples

Record = dict[str, Any]


def read_lines(path: Path) -> tuple[list[Record], int]:
    """The whole records of a file, and how many bytes they take.

    A last line without a line feed, or one that is no JSON, was being written when the host
    died: it is not counted.

    Raises:
        ConfigError: it can't be read, or is no regular file.
        FormatError: a line other than the last is no record.
    """
    if not os.path.lexists(path):
        return [], 0
    data = read_bytes(path, MAX_BYTES)
    *whole, _torn = data.split(b"\n")
    records: list[Record] = []
    size = 0
    for number, line in enumerate(whole, start=1):
        record = _record(line)
        if record is None:
            if number == len(whole):
                break
            raise FormatError(
                f"{path}, line {number}: not a record of a journal. Restore the file from a copy, "
                "or begin anew in another folder (-o)."
            )
        records.append(record)
        size += len(line) + 1
    return records, size


def _write_all(file: FileIO, data: bytes) -> None:
    written = file.write(data)
    while written < len(data):  # a nearly full disk takes a part, then fails
        written += file.write(data[written:])


def _record(line: bytes) -> Record | None:
    try:
        record = plain_json(line, "a record")
    except FormatError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("kind"), str) else None


class LineFile:
    """Appends records; they are on the disk before `append` returns.

    A file that is not there is made by the first record: what nothing is written to is not made.

    Args:
        path: its folder exists.
        size: bytes that `read_lines` counted; the first record cuts off what is behind them.

    Raises:
        ConfigError: the file is there and can't be written.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self._file = self._opened() if os.path.lexists(path) else None

    def append(self, *records: Record) -> None:
        """Writes records, all or (after a crash) the first of them, and waits for the disk.

        Raises:
            ConfigError: the disk is full or gone; what was there before stays readable.
        """
        lines = "".join(to_json(record) + "\n" for record in records)
        data = lines.encode(errors="replace")  # half surrogates, out of a file's name
        self._file = self._file or self._opened()
        try:
            self._file.truncate(self._size)
            _write_all(self._file, data)
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failure(error) from error
        self._size += len(data)

    def close(self) -> None:
        """Closes the file; may be called twice."""
        if self._file is not None:
            self._file.close()

    def _opened(self) -> FileIO:
        try:
            return self._path.open("ab", buffering=0)  # nothing is left to write at close
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"the journal {self._path} can't be written ({error.strerror}); free some space or "
            "name another folder (-o), then run the same command again."
        )
