"""Keeps what libraries write to the terminal by themselves out of our lines, and in a log.

TensorFlow and its runtime write from C++ to descriptors 1 and 2, the first lines before any of
their loggers can be told to be quiet; which lines depends on the processor. So the descriptors
themselves lead to a file meanwhile, and our own sys.stdout and sys.stderr to duplicates of the old
ones.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TextIO

from adadeep.core.errors import AdaDeepError, ConfigError

NATIVE_LOG = "native.log"

_MOST_BYTES = 2_000_000  # a log that has grown larger is begun anew


@contextlib.contextmanager
def native_log(folder: Path | None) -> Iterator[None]:
    """Meanwhile descriptors 1 and 2, Python's logging and warnings go to a log in the folder.

    ADADEEP_DEBUG leaves them on the terminal. Errors that the libraries' words may explain name
    the log.

    Args:
        folder: exists; None keeps nothing.

    Raises:
        ConfigError: the log can't be written.
    """
    if os.environ.get("ADADEEP_DEBUG"):
        yield
        return
    with _opened(folder) as log:
        before = log.tell()
        try:
            with _descriptors_to(log), _logging_to(log):
                yield
        except Exception as error:
            if folder and _is_internal(error) and os.fstat(log.fileno()).st_size > before:
                error.add_note(f"What TensorFlow said meanwhile is in {folder / NATIVE_LOG}.")
            raise
        finally:
            if folder and not os.fstat(log.fileno()).st_size:
                (folder / NATIVE_LOG).unlink(missing_ok=True)


def _is_internal(error: Exception) -> bool:
    return not isinstance(error, AdaDeepError) or error.exit_code == AdaDeepError.exit_code


def _opened(folder: Path | None) -> IO[bytes]:
    if folder is None:
        return tempfile.TemporaryFile(buffering=0)
    path = folder / NATIVE_LOG
    try:
        log = path.open("ab", buffering=0)
        if log.tell() > _MOST_BYTES:
            log.truncate(0)
    except OSError as error:
        raise ConfigError(
            f"{path} can't be written ({error.strerror}); free some space or name another folder"
            " with -o."
        ) from error
    return log


@contextlib.contextmanager
def _descriptors_to(log: IO[bytes]) -> Iterator[None]:
    streams = sys.stdout, sys.stderr
    for stream in streams:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    saved = {number: os.dup(number) for number in (1, 2) if _is_open(number)}
    ours = [_rebound(stream, saved) for stream in streams]
    sys.stdout, sys.stderr = ours  # before the descriptors: no line of ours may go astray
    try:
        for number in (1, 2):
            os.dup2(log.fileno(), number)
        yield
    finally:
        for stream in ours:
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        for number in (1, 2):
            if number in saved:
                os.dup2(saved[number], number)
            else:
                os.close(number)
        sys.stdout, sys.stderr = streams
        _close_later(saved, streams, ours)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _rebound(stream: TextIO, saved: dict[int, int]) -> TextIO:
    """The same stream on the duplicate of its descriptor; itself if it is on another one."""
    try:
        number = saved[stream.fileno()]
    except (OSError, ValueError, KeyError, AttributeError):  # None, closed, or a test's own
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(number, "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=getattr(stream, "line_buffering", True),
        write_through=getattr(stream, "write_through", False),
    )


def _close_later(
    saved: dict[int, int], streams: tuple[TextIO, TextIO], ours: list[TextIO]
) -> None:
    """Closes each duplicate with the last user of its stream: a thread may just be writing."""
    for number, copy in saved.items():
        users = [
            new for new, old in zip(ours, streams, strict=True)
            if new is not old and old.fileno() == number
        ]  # fmt: skip
        if users:
            weakref.finalize(users[0], os.close, copy)
        else:
            os.close(copy)


@contextlib.contextmanager
def _logging_to(log: IO[bytes]) -> Iterator[None]:
    """A handler of the root logger; where there is one TensorFlow adds none of its own."""
    text = io.TextIOWrapper(
        io.FileIO(log.fileno(), "a", closefd=False), errors="replace", write_through=True
    )
    handler = logging.StreamHandler(text)
    logging.root.addHandler(handler)
    logging.captureWarnings(capture=True)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        logging.root.removeHandler(handler)
