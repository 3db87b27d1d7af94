"""A board's Python: what it has, and giving it the runtime that the agent needs."""

from __future__ import annotations

import re
import shlex
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from adadeep.core.clock import Deadline
from adadeep.core.display import one_line
from adadeep.core.errors import FormatError, NoAgentError, StableDeviceError
from adadeep.core.reader import read_json
from adadeep.core.transport import Transport
from adadeep.devices.agent_watch import (
    ALL_PROCESSES,
    COMMAND_LINE,
    ending,
    kill_agents,
    matching,
)
from adadeep.devices.parse.sections import integer
from adadeep.devices.passing import passing_folder, sweep_script
from adadeep.devices.wheels import WheelTarget, download_wheels

OLDEST_PYTHON = (3, 8)
_ENDING_S = 3.0
_PYTHONS = "python3 python /usr/bin/python3 /usr/local/bin/python3 /opt/bin/python3"

# Runs on the board (Python 3.8 and newer; older ones must still get to the version). Looks modules
# up without importing them: an import of the runtime takes seconds on a slow board.
_PROBE = """
import json, os, platform, struct, sys
root = sys.argv[1]
tag = "cp%d%d" % sys.version_info[:2] + "-" + platform.machine()
own = root + "/runtime-" + tag
found = {"numpy": None, "ai_edge_litert": None, "tflite_runtime": None, "tensorflow": None}
if sys.version_info >= (3, 8):
    from importlib.metadata import distributions
    from importlib.util import find_spec
    if os.path.isdir(own):
        sys.path.insert(0, own)
    for name in found:
        if find_spec(name):
            found[name] = ""
    for item in distributions():
        name = (item.metadata["Name"] or "").lower().replace("-", "_").replace("_cpu", "")
        if found.get(name) == "":
            found[name] = item.version
print(json.dumps({"executable": sys.executable, "version": platform.python_version(),
    "machine": platform.machine(), "bits": struct.calcsize("P") * 8,
    "libc": list(platform.libc_ver()), "implementation": platform.python_implementation(),
    "folder": own, "found": found, "own": os.path.isdir(own)}))
runtimes = [name for name in found if name != "numpy" and found[name] is not None]
sys.exit(0 if runtimes and found["numpy"] is not None else 1)
"""


@dataclass(frozen=True, slots=True)
class BoardPython:
    """A Python on a device.

    Attributes:
        executable: its path there.
        version: for example "3.11.2".
        machine: `uname -m`.
        bits: 32 or 64, of the program (a 64-bit kernel may run a 32-bit system).
        libc: for example "glibc 2.36"; empty where it is another one.
        numpy_version: None if it has none; "" if the version is not to be had.
        runtime: "ai_edge_litert", "tflite_runtime" or "tensorflow"; None if it has none.
        runtime_version: of the runtime.
        python_path: folder that PYTHONPATH must name, where we provisioned it; else None.
        provision_folder: where `provision` would put a runtime.
        implementation: "CPython" and the like.
    """

    executable: str
    version: str
    machine: str
    bits: int
    libc: str
    numpy_version: str | None
    runtime: str | None
    runtime_version: str | None
    python_path: str | None
    provision_folder: str
    implementation: str

    @property
    def version_pair(self) -> tuple[int, int]:
        """Major and minor version."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)

    @property
    def complete(self) -> bool:
        """Whether the agent can measure with it."""
        return self.numpy_version is not None and self.runtime is not None


def probe_python(transport: Transport, deadline: Deadline) -> BoardPython | None:
    """The Python of a device that suits the agent best; None if it has none.

    One round trip (two where the transport has to find its folder first). Takes the first that has
    numpy and a runtime, else the newest. What a killed provisioning left is removed meanwhile.

    Raises:
        StableDeviceError: a Python there answers what no Python does.
        DeviceError: the device can't be reached.
    """
    names = shlex.quote(sys.executable) if transport.kind == "local" else _PYTHONS
    code, root = shlex.quote(_PROBE), shlex.quote(transport.workdir)
    # Each program once (python may be a link to python3), until one has all that is needed.
    script = sweep_script(transport.workdir) + (
        f'for p in {names}; do q=$(command -v $p) && [ -x "$q" ] || continue; '
        'l=$(readlink -f "$q"); case " $seen " in *" $l "*) continue;; esac; seen="$seen $l"; '
        f'"$q" -c {code} {root} 2>/dev/null && break; done; true'
    )
    lines = transport.run(script, deadline).text.splitlines()
    found = [_board(line, transport.serial) for line in lines if line.startswith("{")]
    if not found:
        return None
    usable = [board for board in found if board.version_pair >= OLDEST_PYTHON]
    best = next((board for board in usable if board.complete), None)
    return best or max(found, key=lambda board: board.version_pair)


@dataclass(frozen=True, slots=True)
class _Found:
    """Versions; None for what is not there, empty where the version is not to be had."""

    numpy: str | None
    ai_edge_litert: str | None
    tflite_runtime: str | None
    tensorflow: str | None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the probe prints."""

    executable: str
    version: str
    machine: str
    bits: int
    libc: tuple[str, str]
    implementation: str
    folder: str
    found: _Found
    own: bool

    def __post_init__(self) -> None:
        if not re.match(r"[0-9]{1,3}\.[0-9]{1,3}(?![0-9])", self.version, re.ASCII):
            raise ValueError(f"no version: {self.version!r}")
        if "/runtime-" not in self.folder:
            raise ValueError("its folder is none of ours")


def _board(line: str, serial: str) -> BoardPython:
    try:
        answer = read_json(line, _Answer, "a Python's answer")
    except FormatError as error:
        raise StableDeviceError(
            f"{serial}: a Python there does not say what it is ({error}) See what `python3` on the"
            " device is."
        ) from error
    found = answer.found
    names = ("ai_edge_litert", "tflite_runtime", "tensorflow")
    runtime = next((name for name in names if getattr(found, name) is not None), None)
    return BoardPython(
        executable=answer.executable,
        version=one_line(answer.version, 40),
        machine=one_line(answer.machine, 40),
        bits=answer.bits,
        libc=one_line(" ".join(answer.libc), 40),
        numpy_version=found.numpy,
        runtime=runtime,
        runtime_version=getattr(found, runtime) if runtime else None,
        python_path=answer.folder if answer.own else None,
        provision_folder=answer.folder,
        implementation=one_line(answer.implementation, 40),
    )


def require_python(transport: Transport, deadline: Deadline) -> BoardPython:
    """The Python of a device, with numpy and a runtime.

    Raises:
        NoAgentError: it has no Python, an old one, or no runtime; says what to do.
        TransientDeviceError: the link broke or the deadline passed.
    """
    board = _suitable_python(transport, deadline)
    if not board.complete:
        missing = "no numpy" if board.numpy_version is None else "no TFLite runtime"
        raise NoAgentError(
            f"{transport.serial}: its Python {board.version} has {missing}. "
            f"`adadeep doctor -d {shlex.quote(transport.serial)} --provision` gives it one.",
            can_provision=True,
        )
    return board


def _suitable_python(transport: Transport, deadline: Deadline) -> BoardPython:
    board = probe_python(transport, deadline)
    if board is None:
        raise NoAgentError(
            f"{transport.serial}: this device has no Python; the Android agent that it needs is "
            "still to come. `adadeep-profile` records its facts meanwhile."
        )
    if board.version_pair < OLDEST_PYTHON:
        raise NoAgentError(
            f"{transport.serial}: its Python is {board.version}; the agent needs "
            f"{OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer. Install a newer one there."
        )
    return board


def provision(
    transport: Transport,
    deadline: Deadline,
    progress: Callable[[str], None] | None = None,
) -> BoardPython:
    """Gives a board's Python numpy and a TFLite runtime, in a private folder of ours.

    The wheels that suit the board's Python and ABI are downloaded here by pip, pushed, and
    unpacked there by the board's Python; a board that has both already is left as it is.

    Args:
        transport: to the board.
        deadline: for all of it; some minutes over a slow network.
        progress: is told each step; None for nobody.

    Returns:
        The Python with what it has now.

    Raises:
        StableDeviceError: no Python, no wheel for it, no network here, no space there.
        TransientDeviceError: the link broke or the deadline passed.
    """
    board = _suitable_python(transport, deadline)
    if board.complete:
        return board
    tell = progress or _tell_nobody
    target = WheelTarget.of(board.version_pair, board.machine, board.bits, board.libc)
    with tempfile.TemporaryDirectory(prefix="adadeep-wheels-") as folder:
        tell(f"downloading numpy and a TFLite runtime for {target}")
        have_numpy = board.numpy_version is not None
        wheels = download_wheels(target, Path(folder), have_numpy, transport.serial, deadline)
        _check_space(transport, wheels, deadline)
        _install(transport, board, wheels, deadline, tell)
    done = require_python(transport, deadline)
    tell(f"{done.runtime} {done.runtime_version} is in {done.python_path}")
    return done


def _tell_nobody(_: str) -> None:
    pass


def _check_space(transport: Transport, wheels: list[Path], deadline: Deadline) -> None:
    free = free_bytes(transport, deadline)
    need = 5 * sum(wheel.stat().st_size for wheel in wheels)  # packed, and unpacked 3 to 4 times
    if free is not None and free < need:
        raise StableDeviceError(
            f"{transport.serial}: {transport.workdir} has {free / 1e6:.0f} MB free; a runtime "
            f"needs {need / 1e6:.0f} MB. Free some space on the device and run it again."
        )


def free_bytes(transport: Transport, deadline: Deadline) -> int | None:
    """Space left where the work folder is; None if `df` does not tell."""
    done = transport.run(f"df -Pk {shlex.quote(transport.workdir)} | tail -n 1", deadline)
    words = done.text.split()
    blocks = integer(words[3]) if len(words) >= 6 else None
    return None if blocks is None else blocks * 1024


def _install(
    transport: Transport,
    board: BoardPython,
    wheels: list[Path],
    deadline: Deadline,
    tell: Callable[[str], None],
) -> None:
    with passing_folder(transport, deadline) as folder:
        for wheel in wheels:
            tell(f"pushing {wheel.name} ({wheel.stat().st_size / 1e6:.0f} MB)")
            transport.push(wheel, f"{folder}/{wheel.name}", deadline)
        tell("unpacking, and loading it once")
        _unpack(transport, board, folder, [wheel.name for wheel in wheels], deadline)


def _unpack(
    transport: Transport, board: BoardPython, folder: str, wheels: list[str], deadline: Deadline
) -> None:
    """All or nothing: unpacked aside, loaded once, then renamed."""
    final, here = shlex.quote(board.provision_folder), shlex.quote(folder)
    python = shlex.quote(board.executable)
    # By paths from within: where the folder goes away meanwhile, nothing can be put there again.
    done = transport.run(
        f"cd {here} || exit 1; for w in {shlex.join(wheels)}; do "
        f'{python} -m zipfile -e "$w" new || exit 1; done; '
        f"PYTHONPATH={here}/new {python} -c {shlex.quote(_TRY_IMPORT)} || exit 1; "
        f"rm -rf {final}; mv new {final}",
        deadline,
    )
    if done.exit_code != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"]
        last = one_line(said[-1])
        names = " and ".join(name.split("-")[0] for name in wheels)
        raise StableDeviceError(
            f"{transport.serial}: {names} do not work there: {last}. "
            "Install numpy and a TFLite runtime on the device by hand."
        )


_TRY_IMPORT = """
import importlib, numpy
for name in ("ai_edge_litert", "tflite_runtime"):
    try:
        importlib.import_module(name)
    except ImportError:
        continue
    importlib.import_module(name + ".interpreter")
    break
else:
    raise SystemExit("no runtime was unpacked")
"""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was removed from a device.

    Attributes:
        folder: that was ours.
        results: measurements in it that no host had fetched.
        deployed: models in it that were deployed.
    """

    folder: str
    results: int
    deployed: int


def clean(transport: Transport, deadline: Deadline, force: bool = False) -> Cleaned:
    """Removes everything of ours from a device.

    Args:
        transport: to it.
        deadline: for all of it.
        force: end an agent that is at work there, whoever started it.

    Raises:
        StableDeviceError: an agent is at work there, or something can't be removed.
    """
    folder = transport.workdir
    quoted = shlex.quote(folder)
    if force:
        kill_agents(transport, deadline)
    script = (
        f"for p in {ALL_PROCESSES}; do case {COMMAND_LINE} in {matching(folder)})"
        " echo process $p; exit 9;; esac; done;"
        f" cd / && ls {quoted}/spool {quoted}/deployed 2>/dev/null; rm -rf {quoted}"
    )
    patience = deadline.sooner(_ENDING_S)
    done = transport.run(script, deadline)
    while done.exit_code and not patience.expired:  # an agent may be just about to end
        deadline.clock.sleep(0.3)
        done = transport.run(script, deadline)
    words = done.text.split()
    if done.exit_code == 9:
        raise StableDeviceError(
            f"{transport.serial}: an agent is at work there ({one_line(done.text, 40)});"
            f" wait until it is done, or end it: {ending(transport.serial)}."
        )
    if done.exit_code != 0:
        text = one_line(done.stderr.decode("utf-8", "replace")).rstrip(".")
        raise StableDeviceError(f"{transport.serial}: {folder} can't be removed: {text}.")
    results = sum(word.endswith(".json") for word in words)
    return Cleaned(folder, results, sum(word.endswith(".tflite") for word in words))
