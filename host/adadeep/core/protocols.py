"""The small interfaces that the layers meet at. Structural: nothing inherits from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol

from adadeep.core.clock import Deadline
from adadeep.core.compressed import Compressed, ModelT
from adadeep.core.layers import LayerSpec, ModelSpec
from adadeep.core.plan import LayerChoice

# Nothing that we ask a device is answered by more; what says more is broken or means harm.
MOST_OUTPUT_BYTES = 8_000_000
MOST_FILE_BYTES = 256_000_000


@dataclass(frozen=True, slots=True)
class ShellResult:
    """What a command on a device gave.

    Attributes:
        command: as it was asked for.
        stdout: bytes as they came.
        stderr: apart from stdout wherever the device can keep them apart.
        exit_code: of the command itself.
    """

    command: str
    stdout: bytes
    stderr: bytes
    exit_code: int

    @property
    def text(self) -> str:
        """Stdout as text; bytes that are no UTF-8 are replaced."""
        return self.stdout.decode("utf-8", "replace")


class Stream(Protocol):
    """Stdin and stdout of one long-lived process on a device."""

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Sends bytes to its stdin.

        Raises:
            TransientDeviceError: the process or the link is gone, or the deadline passed.
        """
        ...

    def read_line(self, deadline: Deadline) -> bytes:
        """Returns the next line of its stdout without the line feed.

        Raises:
            DeadlinePassed: nothing whole came in time; reading may go on.
            TransientDeviceError: the process or the link is gone.
            StableDeviceError: the line has no end.
        """
        ...

    def close(self) -> None:
        """Ends the connection; the process sees the end of its stdin. May be called twice."""
        ...


class Transport(Protocol):
    """A way to one device. Every call has a deadline and names the serial in its errors.

    Raises:
        TransientDeviceError: link broken or deadline passed.
        StableDeviceError: no space, no such device, unauthorized, an answer without end, ...
    """

    @property
    def serial(self) -> str:
        """What `-d` takes."""
        ...

    @property
    def kind(self) -> str:
        """ "adb" or "local"."""
        ...

    @property
    def workdir(self) -> str:
        """Folder on the device that is ours; it exists, is writable and lets programs run."""
        ...

    def run(
        self, command: str, deadline: Deadline, most_bytes: int = MOST_OUTPUT_BYTES
    ) -> ShellResult:
        """Runs a POSIX shell command to its end; a nonzero exit code is no error.

        One that prints more than `most_bytes` is ended: a StableDeviceError.
        """
        ...

    def open(self, command: str, deadline: Deadline) -> Stream:
        """Starts a long-lived shell command; its stderr goes nowhere (redirect it)."""
        ...

    def push(
        self, source: bytes | Path, remote: str, deadline: Deadline, mode: int = 0o644
    ) -> None:
        """Writes a file on the device, whole or not at all; makes its folder if need be."""
        ...

    def pull(self, remote: str, deadline: Deadline) -> bytes:
        """Reads a file of the device, of at most `MOST_FILE_BYTES`."""
        ...


class Technique(Protocol, Generic[ModelT]):
    """One way to compress one layer.

    Attributes:
        name: in the registry, in plans: "W1f".
        title: for people.
        training_factor: how many times the task's fine-tuning steps a layer treated so needs.
        replaces_following: whether it takes the place of all later layers that are decided on.
    """

    name: str
    title: str
    training_factor: int
    replaces_following: bool

    def applies_to(self, layer: LayerSpec) -> bool:
        """Whether this layer can be compressed so."""
        ...

    def choices(self, layer: LayerSpec) -> Sequence[LayerChoice]:
        """The settings worth trying on this layer, the paper's first."""
        ...

    def apply(
        self, model: ModelT, layer: str, choice: LayerChoice, samples: Any = None
    ) -> Compressed[ModelT]:
        """Returns a new network with that layer compressed, weights inherited where it can be.

        Args:
            model: is left as it is.
            layer: its name.
            choice: one of `choices`, or with other values of its parameters.
            samples: (n, ...) training inputs that new weights may be fitted to; None for none.

        Returns:
            The network, with hooks of those of its new layers that need one.

        Raises:
            TechniqueNotApplicable: the layer can't take it.
        """
        ...

    def outline(self, model: ModelSpec, layer: str, choice: LayerChoice) -> ModelSpec | None:
        """What the network that `apply` returns is, known without making it, and without Keras.

        Args:
            model: of the network, as `describe.model_spec` gives it; so is what is returned.
            layer: see `apply`.
            choice: see `apply`.

        Returns:
            None if it depends on more than a ModelSpec holds, such as the weights.

        Raises:
            TechniqueNotApplicable: the layer can't take it, as far as `model` tells.
        """
        ...
