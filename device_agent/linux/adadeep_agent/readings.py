"""What the kernel, and the system's commands, say of a device's state, as text.

The host makes values of it.

What can't be read is None; nothing here raises.
"""

from __future__ import annotations

import os
import re
import time
from typing import Any, Dict, Iterator, List, Optional, Sequence

from adadeep_agent import wire
from adadeep_agent.commands import run_commands


def reading(patterns: Sequence[str], commands: Sequence[str] = ()) -> Dict[str, Any]:
    """What files and commands say now, as the `before` and `after` of a result hold it.

    The files come first: a command is a process, which heats the clocks up that they tell.
    """
    now = round(time.time(), 3)
    texts = read_texts(patterns)
    return {"timestamp": now, "texts": texts, "commands": run_commands(commands)}


def read_texts(patterns: Sequence[str]) -> Dict[str, Optional[str]]:
    """Path -> text, in the order of the patterns until a bound is reached.

    None where there is a file that can't be read, and for a path without `*` that is not there.
    """
    texts: Dict[str, Optional[str]] = {}
    left = wire.MAX_TEXTS_BYTES
    for pattern in patterns:
        for path in expanded(pattern):
            if len(texts) == wire.MAX_TEXTS or left == 0:
                return texts
            data, is_there = _read(path, min(wire.MAX_TEXT_BYTES, left))
            if is_there or "*" not in pattern:
                texts[path] = None if data is None else data.decode("utf-8", "replace")
                left -= len(data or b"")
    return texts


def expanded(pattern: str) -> Iterator[str]:
    """The paths that a pattern stands for, in order; `*` is any part of one name."""
    paths = [""]
    for name in pattern.split("/")[1:]:
        if "*" not in name:
            paths = [f"{path}/{name}" for path in paths]
            continue
        fits = re.compile(".*".join(map(re.escape, name.split("*"))), re.DOTALL).fullmatch
        paths = [f"{path}/{found}" for path in paths for found in _listed(path) if fits(found)]
    return filter(wire.is_readable, paths)


def _listed(folder: str) -> List[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _read(path: str, most: int) -> tuple[Optional[bytes], bool]:
    """The beginning of a file, and whether there is one."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None, False
    except OSError:
        return None, True
    try:
        return _read_on(file, most), True
    except OSError:
        return None, True
    finally:
        os.close(file)


def _read_on(file: int, most: int) -> bytes:
    data = b""
    while len(data) < most:
        piece = os.read(file, most - len(data))
        if not piece:
            break
        data += piece
    return data
