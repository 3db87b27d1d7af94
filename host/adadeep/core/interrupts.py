"""Whether the user has asked this process to stop: Ctrl-C, SIGTERM, a terminal that was closed.

Python tells it once, as a KeyboardInterrupt wherever the program is then. That may be inside an
import or a library, which turns it into another error or loses it. So the signal is remembered
here: what comes out of a library meanwhile counts as the interrupt, and a loop that goes on in
spite of it is told again.
"""

from __future__ import annotations

import signal
from types import FrameType

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

_received: list[int] = []


def install() -> None:
    """Treats all of these signals alike; one that the parent ignores (nohup) stays ignored."""
    for number in _numbers():
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _receive)


def uninstall() -> None:
    """Back to the system's own way: at the very end there is nobody left to catch an exception."""
    for number in _numbers():
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def pending() -> bool:
    """Whether a signal has come."""
    return bool(_received)


def raise_pending() -> None:
    """Raises the interrupt again if a signal has come: somebody must have swallowed it.

    Raises:
        KeyboardInterrupt: a signal has come.
    """
    if _received:
        raise KeyboardInterrupt


def forget() -> None:
    """As if no signal had come; for tests."""
    _received.clear()


def _numbers() -> list[signal.Signals]:
    return [signal.Signals[name] for name in _SIGNALS if hasattr(signal, name)]


def _receive(number: int, _frame: FrameType | None) -> None:
    _received.append(number)
    raise KeyboardInterrupt
