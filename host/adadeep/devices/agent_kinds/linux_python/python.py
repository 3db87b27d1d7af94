"""The Pythons of a device: which there are, and what they have."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass

from adadeep.core.clock import Deadline
from adadeep.core.display import one_line
from adadeep.core.errors import FormatError, NoAgentError, StableDeviceError
from adadeep.core.reader import read_json
from adadeep.core.transport import Transport
from adadeep.devices.passing import sweep_script

OLDEST_PYTHON = (3, 8)
NO_PYTHON = (
    "this device has no Python; the Python agent needs 3.8 or newer. "
    "`adadeep-profile` records its facts all the same."
)
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
    names = shlex.quote(sys.executable) if transport.is_this_computer else _PYTHONS
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


def suitable_python(transport: Transport, deadline: Deadline) -> BoardPython:
    """The Python of a device, new enough, whether it has numpy and a runtime or not.

    Raises:
        NoAgentError: it has no Python, or an old one; says what to do.
        TransientDeviceError: the link broke or the deadline passed.
    """
    board = probe_python(transport, deadline)
    if board is None:
        raise NoAgentError(f"{transport.serial}: {NO_PYTHON}")
    if board.version_pair < OLDEST_PYTHON:
        raise NoAgentError(
            f"{transport.serial}: its Python is {board.version}; the agent needs "
            f"{OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer. Install a newer one there."
        )
    return board
