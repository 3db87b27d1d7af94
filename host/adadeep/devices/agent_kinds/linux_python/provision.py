"""Gives a board's Python the runtime that the agent needs."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path

from adadeep.core.clock import Deadline
from adadeep.core.display import one_line
from adadeep.core.errors import StableDeviceError
from adadeep.core.transport import Transport
from adadeep.devices.agent_kinds.linux_python.python import BoardPython, suitable_python
from adadeep.devices.agent_kinds.linux_python.wheels import WheelTarget, download_wheels
from adadeep.devices.passing import passing_folder
from adadeep.devices.work_folder import free_bytes


def provision(
    transport: Transport,
    board: BoardPython,
    deadline: Deadline,
    tell: Callable[[str], None],
) -> BoardPython:
    """Gives a board's Python numpy and a TFLite runtime, in a private folder of ours.

    The wheels that suit the board's Python and ABI are downloaded here by pip, pushed, and
    unpacked there by the board's Python.

    Args:
        transport: to the board.
        board: its Python, which lacks one or both.
        deadline: for all of it; some minutes over a slow network.
        tell: is told each step.

    Returns:
        The Python with what it has now.

    Raises:
        StableDeviceError: no wheel for it, no network here, no space there.
        TransientDeviceError: the link broke or the deadline passed.
    """
    target = WheelTarget.of(board.version_pair, board.machine, board.bits, board.libc)
    with tempfile.TemporaryDirectory(prefix="adadeep-wheels-") as folder:
        tell(f"downloading numpy and a TFLite runtime for {target}")
        have_numpy = board.numpy_version is not None
        wheels = download_wheels(target, Path(folder), have_numpy, transport.serial, deadline)
        _check_space(transport, wheels, deadline)
        _install(transport, board, wheels, deadline, tell)
    done = suitable_python(transport, deadline)
    tell(f"{done.runtime} {done.runtime_version} is in {done.python_path}")
    return done


def _check_space(transport: Transport, wheels: list[Path], deadline: Deadline) -> None:
    free = free_bytes(transport, deadline)
    need = 5 * sum(wheel.stat().st_size for wheel in wheels)  # packed, and unpacked 3 to 4 times
    if free is not None and free < need:
        raise StableDeviceError(
            f"{transport.serial}: {transport.workdir} has {free / 1e6:.0f} MB free; a runtime "
            f"needs {need / 1e6:.0f} MB. Free some space on the device and run it again."
        )


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
