"""This process: the code that it runs, the cores that it runs on, the memory that it takes."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, Dict, Iterator, List, Optional

from adadeep_agent.wire import ErrorCode, WireError

# By the kernel's name of the processor and the bits of this process: what Android calls the code.
_ABIS = {
    ("x86_64", 64): "x86_64", ("x86_64", 32): "x86", ("i686", 32): "x86",
    ("aarch64", 64): "arm64-v8a", ("aarch64", 32): "armeabi-v7a", ("armv8l", 32): "armeabi-v7a",
    ("armv7l", 32): "armeabi-v7a",
}  # fmt: skip


def own_abi() -> Optional[str]:
    """The kind of code that runs in this process, by Android's names; None if it has none."""
    return _ABIS.get((os.uname().machine, 64 if sys.maxsize > 1 << 32 else 32))


def parse_core_mask(mask: str) -> List[int]:
    """ "f0" -> [4, 5, 6, 7].

    Raises:
        WireError: not hexadecimal, or no core at all.
    """
    try:
        bits = int(mask, 16)
    except ValueError:
        bits = 0
    if bits <= 0:
        raise WireError(f"{mask!r} is no core mask: write hexadecimal", ErrorCode.BAD_CORE_MASK)
    return [core for core in range(bits.bit_length()) if bits >> core & 1]


@contextlib.contextmanager
def pinned(mask: Optional[str]) -> Iterator[None]:
    """Keeps this process, with threads that begin meanwhile, on the cores of a mask.

    Raises:
        WireError: the kernel refuses, or grants only a part of the cores.
    """
    if mask is None:
        yield
        return
    wanted, before = set(parse_core_mask(mask)), os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, wanted)
    except OSError as error:
        raise WireError(f"core mask {mask} refused: {error}", ErrorCode.BAD_CORE_MASK) from error
    try:
        granted = os.sched_getaffinity(0)
        if granted != wanted:
            raise WireError(
                f"core mask {mask}: asked for cores {sorted(wanted)}, got {sorted(granted)}",
                ErrorCode.BAD_CORE_MASK,
            )
        yield
    finally:
        os.sched_setaffinity(0, before)


def memory_available() -> Optional[int]:
    """Bytes that programs can have without swapping; None where the kernel does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/meminfo") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


class PeakMemory:
    """Resident memory of this process from now on, by /proc."""

    def __init__(self) -> None:
        self.was_reset = True
        try:
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")  # resets VmHWM to VmRSS
        except OSError:
            self.was_reset = False
        self._before = self._read("VmRSS")

    @staticmethod
    def _read(name: str) -> Optional[int]:
        with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/self/status") as f:
            for line in f:
                if line.startswith(name + ":"):
                    return int(line.split()[1]) * 1024
        return None

    def report(self) -> Dict[str, Any]:
        """The fields of `memory` in a result."""
        peak, before = self._read("VmHWM"), self._before
        growth = None
        if peak is not None and before is not None and self.was_reset:
            growth = peak - before
        return {
            "rss_before_bytes": before,
            "peak_rss_bytes": peak,
            "rss_growth_bytes": growth,
            "peak_was_reset": self.was_reset,
        }
