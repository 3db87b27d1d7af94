"""Models that the runtime does not survive, or that come to no end: whose fault it is."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator

from adadeep.core.errors import AgentError, DeadlinePassed, ProcessEnded, StableDeviceError
from adadeep.devices.agent import AgentClient

# Codes of errors that no agent is there to report.
AGENT_DIED, CRASHED, OVERDUE = "agent_died", "runtime_crashed", "overdue"


def unsurvived(serial: str, tries: int, failure: Exception | None) -> AgentError:
    """The error of a model on which every agent ended, while the device still answers.

    One that crashed did so by the model. One that was killed, or went by itself, may not have.
    """
    if isinstance(failure, ProcessEnded) and failure.crashed:
        return AgentError(
            f"{serial}: this model crashes the runtime there (exit code {failure.status}). It is"
            " damaged, or the runtime is: convert the model anew, or try a newer runtime.",
            CRASHED,
        )
    return AgentError(
        f"{serial}: the agent ended {tries} times on this model; the device itself still answers."
        f" {failure}",
        AGENT_DIED,
    )


class Quarantine:
    """Models that crashed the runtime of a device twice: nobody has it crash by them again.

    Args:
        serial: of the device.
    """

    def __init__(self, serial: str) -> None:
        self._serial = serial
        self._digests: set[str] = set()

    def add(self, digest: str) -> None:
        """From now on this model is not sent there."""
        self._digests.add(digest)

    def require_none_of(self, models: Iterable[tuple[str, str]]) -> None:
        """For names and hashes of models that are to be measured.

        Raises:
            AgentError: one of them is in quarantine; it names the model.
        """
        for name, digest in models:
            if digest in self._digests:
                raise AgentError(
                    f"{self._serial}: this model crashed the runtime there twice and is not run"
                    " again: convert it anew, or try a newer runtime.",
                    CRASHED,
                    name,
                )


@contextlib.contextmanager
def ending_the_overdue(agent: AgentClient, serial: str) -> Iterator[None]:
    """Ends an agent whose job is not done by its deadline: it would compute on for ever.

    Raises:
        AgentError: it was ended.
        DeadlinePassed: the device does not answer either.
    """
    try:
        yield
    except DeadlinePassed as error:
        if not agent.end():
            raise
        raise AgentError(
            f"{serial}: the model took far longer than a measurement may and has been ended."
            " If it holds no loop without an end, take a smaller one or another device.",
            OVERDUE,
        ) from error


@contextlib.contextmanager
def blaming_the_runtime(serial: str, models: Collection[str]) -> Iterator[None]:
    """For models of our own, which are sound: a runtime that does not survive one is broken.

    Args:
        serial: of the device.
        models: names of our own ones.

    Raises:
        StableDeviceError: in place of the error that blames one of them.
    """
    try:
        yield
    except AgentError as error:
        if error.code not in (CRASHED, OVERDUE) or error.model not in models:
            raise
        raise StableDeviceError(
            f"{serial}: the runtime there can't run even our own small model. Give the device"
            f" another: on Android --runtime FILE.aar, else adadeep doctor -d {serial} --provision"
        ) from error
