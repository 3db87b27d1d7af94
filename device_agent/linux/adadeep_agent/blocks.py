"""A block: runs of a model one after the other, timed, with what the kernel says around them.

Nothing is done between two timed runs but reading the clock and looking for a cancel.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import time
from itertools import repeat
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from adadeep_agent import turns, wire
from adadeep_agent.wire import ErrorCode, WireError

Invoke = Callable[[], Any]
_SLEPT_NS = 1_000_000_000
_A_TIME, _A_BLOCK = 11, 120  # bytes of one on the wire, about
_LOOK_NS = 1_000_000  # of timed runs between two looks at what else is wanted
_OWN_THREAD, _OWN_PROCESS = "/proc/thread-self/", "/proc/self/"  # kernels before 3.17 lack it


def _core_getter() -> Optional[Callable[[], int]]:
    try:
        getter: Callable[[], int] = ctypes.CDLL(None).sched_getcpu
        return getter if getter() >= 0 else None
    except (OSError, AttributeError):
        return None


class Clocks:
    """What tells times and places; tests give other ones.

    Attributes:
        now: monotonic, in ns.
        boot: goes on while the device sleeps, in ns; None where there is none.
        cpu: processor time of this process, in ns.
        core: the core in use; None where the kernel does not tell.
    """

    def __init__(self) -> None:
        self.now: Callable[[], int] = time.perf_counter_ns
        self.boot: Optional[Callable[[], int]] = None
        if hasattr(time, "CLOCK_BOOTTIME"):
            self.boot = lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self.cpu: Callable[[], int] = time.process_time_ns
        self.core = _core_getter()

    def quality(self) -> Tuple[int, int]:
        """The smallest step that the monotonic clock was seen to take, and what reading it costs.

        Both in ns, at least 1.
        """
        now = self.now
        seen = [now() for _ in range(2001)]
        steps = [b - a for a, b in zip(seen, seen[1:]) if b > a]
        return max(1, min(steps, default=1)), max(1, (seen[-1] - seen[0]) // 2000)


class SleepGuard:
    """Notices that the device slept: the clock that goes on then ran ahead of the other.

    Args:
        clocks: of the session.
    """

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._apart = self._now()

    def _now(self) -> int:
        return self._clocks.boot() - self._clocks.now() if self._clocks.boot else 0

    def look(self) -> None:
        """Compares the clocks.

        Raises:
            WireError: `slept`.
        """
        slept_ns = self._now() - self._apart
        if slept_ns > _SLEPT_NS:
            text = f"the device slept for {slept_ns / 1e9:.0f} s while it measured"
            raise WireError(text, ErrorCode.SLEPT)


class BlockTexts:
    """Files that are read around each block; opened once, read from their beginning each time.

    Args:
        entries: paths; `{core}` stands for the core in use, `#KEY` behind one for its first line
            that begins so.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        self.entries = list(entries)
        self._files: Dict[str, Optional[int]] = {}
        self._behind: Optional[Tuple[Optional[int], List[Optional[bytes]]]] = None

    def read(self, core: Optional[int]) -> List[Optional[bytes]]:
        """What each holds now; None for one that can't be read."""
        return [self._read(entry, core) for entry in self.entries]

    def ahead(self, core: Optional[int]) -> List[Optional[bytes]]:
        """As `read`, ahead of a block: what was read behind the one just before still holds."""
        if self._behind is None or self._behind[0] != core:
            return self.read(core)
        return self._behind[1]

    def behind(self, core: Optional[int]) -> List[Optional[bytes]]:
        """As `read`, behind a block that began on this core."""
        texts = self.read(core)
        self._behind = (core, texts)
        return texts

    def pause(self) -> None:
        """The next block does not follow at once."""
        self._behind = None

    def _read(self, entry: str, core: Optional[int]) -> Optional[bytes]:
        path, _, key = entry.partition("#")
        if "{core}" in path:
            if core is None:
                return None
            path = path.replace("{core}", str(core))
        if path not in self._files:
            self._files[path] = _opened(path)
        file = self._files[path]
        if file is None:
            return None
        try:
            data = os.pread(file, wire.MAX_TEXT_BYTES, 0)
        except OSError:
            return None
        return (_line(data, key.encode()) if key else data)[: wire.MAX_BLOCK_TEXT]

    def close(self) -> None:
        """Closes the files."""
        for file in self._files.values():
            if file is not None:
                with contextlib.suppress(OSError):
                    os.close(file)
        self._files = {}


def _opened(path: str) -> Optional[int]:
    paths = [path]
    if path.startswith(_OWN_THREAD):
        paths.append(_OWN_PROCESS + path[len(_OWN_THREAD) :])
    for name in paths:
        with contextlib.suppress(OSError):
            return os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return None


def _line(data: bytes, key: bytes) -> bytes:
    """The first that begins with a key; splitting them all takes 14 us, as often as a block."""
    start = (b"\n" + data).find(b"\n" + key)  # of the line in `data`
    return data[start:].partition(b"\n")[0] if start >= 0 else b""


def jumped(spent_ns: int) -> WireError:
    """The error of a clock by which runs took no time, or less."""
    text = f"the device's clock is of no use: by it a run took {spent_ns} ns"
    return WireError(text, ErrorCode.CLOCK_JUMPED)


def dropped_runs(
    invoke: Invoke, least: Tuple[int, float], now: Callable[[], int], check: Callable[[], None]
) -> Optional[int]:
    """Runs until a number of runs and a time in ns are reached, both; the first one's time."""
    runs, least_ns = least
    first, count = None, 0
    began = ended = now()
    while count < runs or ended - began < least_ns:
        check()
        invoke()
        last, ended = ended, now()
        if ended < last:
            raise jumped(ended - last)
        first = ended - last if first is None else first
        count += 1
    return first


def timed_runs(
    invoke: Invoke,
    group: int,
    until: Tuple[float, int],
    now: Callable[[], int],
    check: Callable[[], None],
) -> List[int]:
    """Times runs in groups until a time in ns or a number of timings is reached; at least one."""
    block_ns, most = until
    times = [0] * min(most, 256)
    count, total, looked = 0, 0, 0
    while True:
        if group == 1:
            began = now()
            invoke()
            spent = now() - began
        else:
            runs = repeat(None, group)
            began = now()
            for _ in runs:
                invoke()
            spent = now() - began
        if spent <= 0:
            raise jumped(spent)
        if count == len(times):
            times.extend([0] * len(times))
        times[count] = spent
        count += 1
        total += spent
        if total >= block_ns or count >= most:
            return times[:count]
        if total - looked >= _LOOK_NS:
            looked = total
            check()


def run_ns(block: wire.Message) -> float:
    """The time of a run in a block: the median timing's."""
    return turns.median(block["times_ns"]) / float(block["group"])


def weight_of(block: wire.Message) -> int:
    """Bytes that it takes on the wire, about."""
    texts = sum(len(text or b"") for side in block["texts"] for text in side)
    return _A_BLOCK + _A_TIME * len(block["times_ns"]) + texts


def with_texts(placed: wire.Message) -> wire.Message:
    """A model's placement with texts in place of the bytes that were read."""
    for block in placed["blocks"]:
        block["texts"] = [
            [None if text is None else text.decode("utf-8", "replace") for text in side]
            for side in block["texts"]
        ]
    return placed
