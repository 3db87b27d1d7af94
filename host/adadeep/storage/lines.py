"""A file of JSON lines that is only appended to, and survives being cut off anywhere."""

from __future__ import annotations

import json
import os
from io import FileIO
from pathlib import Path
from typing import Any

from adadeep.core.errors import ConfigError, FormatError

Record = dict[str, Any]


def read_lines(path: Path) -> tuple[list[Record], int]:
    """The whole records of a file, and how many bytes they take.

    A last line without a line feed, or one that is no JSON, was being written when the host
    died: it is not counted.

    Raises:
        FormatError: a line other than the last is no record.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise ConfigError(f"{path} can't be read ({error.strerror}).") from error
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
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("kind"), str) else None


class LineFile:
    """Appends records; each is on the disk before `append` returns.

    Args:
        path: its folder exists.
        size: bytes that `read_lines` counted; what is behind them is cut off.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        try:
            self._file = path.open("ab", buffering=0)  # nothing is left to write at close
            self._file.truncate(size)
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failure(error) from error

    def append(self, record: Record) -> None:
        """Writes one record and waits for the disk.

        Raises:
            ConfigError: the disk is full or gone; what was there before stays readable.
        """
        text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
        try:
            _write_all(self._file, text.encode() + b"\n")
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Closes the file; may be called twice."""
        self._file.close()

    def _failure(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"the journal {self._path} can't be written ({error.strerror}); free some space or "
            "name another folder (-o), then run the same command again."
        )
