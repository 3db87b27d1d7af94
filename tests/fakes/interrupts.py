"""Ctrl-C for processes that a test starts."""

import signal


def take_interrupts() -> None:
    """`preexec_fn` of a process that is to be interrupted.

    Where the tests run in the background of a shell, SIGINT is ignored, and children inherit it.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
