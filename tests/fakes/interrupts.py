"""Ctrl-C for processes that a test starts."""

import signal


def take_interrupts() -> None:
    """`preexec_fn` of a process that is to be interrupted.

    Where the tests run in the background of a shell SIGINT is ignored, under nohup SIGHUP, and
    children inherit it.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
