"""Where the programs begin: signals are seen to before anything that takes time is imported.

Standard library only, and no more of that than must be.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import NoReturn

from adadeep.core import interrupts

_INTERRUPTED = 130


def main() -> NoReturn:
    """`adadeep`."""
    _run("adadeep")


def profile_main() -> NoReturn:
    """`adadeep-profile`: the same as `adadeep profile`."""
    _run("adadeep-profile")


def _run(program: str) -> NoReturn:
    _open_standard_descriptors()
    sys.unraisablehook = _unraisable
    code = _INTERRUPTED
    try:
        interrupts.install()
        from adadeep.cli.main import run_program

        code = run_program(program, sys.argv[1:])
    except BaseException:
        if not interrupts.pending():
            raise
        _say("interrupted.")
    interrupts.uninstall()
    _leave(code)


def _unraisable(event: sys.UnraisableHookArgs) -> None:
    """Ctrl-C in a callback can't be raised; it is remembered, and gives no traceback."""
    if not interrupts.pending():
        sys.__unraisablehook__(event)


def _open_standard_descriptors() -> None:
    """Where one is closed the next file or connection that is opened would take its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            writes = os.O_WRONLY if name == "stderr" else os.O_RDONLY  # stdout: fails when used
            os.open(os.devnull, writes)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # not of the usual kind
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _say(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201


def _leave(code: int) -> NoReturn:
    """Ends the process; what can't be written any more is not worth a traceback."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)
    sys.exit(code)
