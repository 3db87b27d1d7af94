"""Real agents on this computer with something changed in them: a clock, a runtime.

The agent's Python reads a `sitecustomize.py` of ours before it starts; the host's does, too, and
passes it over.
"""

from __future__ import annotations

from pathlib import Path

_HEAD = "import sys\nif 'serve' in getattr(sys, 'orig_argv', ()):\n"

# Once, in the middle of a timed run, the monotonic clock goes back by 10 s; EVER: in each session.
JUMPING = """
import time
real, asked, back = time.perf_counter_ns, 0, 0
def jumping():
    global asked, back
    if sys._getframe(1).f_code.co_name == "timed_runs":
        asked += 1
        if asked == 20 or EVER and asked % 20 == 0:
            back += 10_000_000_000
    return real() - back
time.perf_counter_ns = jumping
"""

# Once, after some blocks, the clock that goes on in sleep is 5 s ahead.
SLEEPING = """
import time
real, asked = time.clock_gettime_ns, 0
def sleeping(clock):
    global asked
    asked += clock == time.CLOCK_BOOTTIME
    ahead = 5_000_000_000 if clock == time.CLOCK_BOOTTIME and asked > 6 else 0
    return real(clock) + ahead
time.clock_gettime_ns = sleeping
"""

# Models of SIZE bytes take MORE_NS longer with each run since they were loaded.
SLOWER = """
import os, time
import ai_edge_litert.interpreter as runtime
class Slower:
    def __init__(self, inner):
        self.inner, self.runs = inner, 0
    def __getattr__(self, name):
        return getattr(self.inner, name)
    def Invoke(self):
        self.runs += 1
        until = time.perf_counter_ns() + MORE_NS * self.runs
        self.inner.Invoke()
        while time.perf_counter_ns() < until:
            pass
class Interpreter(runtime.Interpreter):
    def __init__(self, model_path, **options):
        super().__init__(model_path=model_path, **options)
        if os.path.getsize(model_path) == SIZE:
            self._interpreter = Slower(self._interpreter)
runtime.Interpreter = Interpreter
"""


def python_path(folder: Path, change: str, **names: object) -> str:
    """Writes a change there; what to put at the head of an agent's PYTHONPATH.

    Args:
        folder: is made.
        change: `JUMPING`, `SLEEPING` or `SLOWER`.
        names: that occur in it.
    """
    folder.mkdir()
    lines = [*(f"{name} = {value!r}" for name, value in names.items()), *change.splitlines()]
    body = "\n".join(lines)
    text = _HEAD + f"    exec({body!r}, globals())\n"
    (folder / "sitecustomize.py").write_text(text)
    return str(folder)
