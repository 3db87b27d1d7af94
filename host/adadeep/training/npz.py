"""Arrays of a user's .npz file: bounded, and nothing in it is code."""

from __future__ import annotations

import zlib
from lzma import LZMAError
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.reader import why
from adadeep.core.rows import Array
from adadeep.storage.archives import require_bounded

_MOST_BYTES = 8_000_000_000
_OF_FREE = 0.5  # of the memory that is free, for samples of which training makes no copies
_MEMORY = Path("/proc/meminfo")


def read_npz(path: Path) -> dict[str, Array]:
    """Its members by name.

    Raises:
        ConfigError: it can't be read, is no .npz of plain arrays, or would fill the memory.
    """
    most = min(_MOST_BYTES, int(free_bytes() * _OF_FREE))
    try:
        require_bounded(path, most)
        with np.load(path, allow_pickle=False) as members:
            return {name: members[name] for name in members.files}
    except ConfigError:
        raise
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError, BadZipFile,
            NotImplementedError, zlib.error, LZMAError) as error:  # fmt: skip
        raise ConfigError(
            f"{one_line(str(path))} can't be used ({why(error)}); write it anew by numpy.savez"
            " with plain arrays, or give the data as module:function, as a tf.data.Dataset where"
            " they are too large."
        ) from error


def free_bytes() -> float:
    """Memory that a new process may take, in bytes; infinite where nothing tells."""
    try:
        lines = _MEMORY.read_text().splitlines()
        return next(float(li.split()[1]) * 1024 for li in lines if li.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return float("inf")
