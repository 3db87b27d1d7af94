"""The exception tree, and the exit code that each branch ends a command with.

AdaDeepError                    1
├── ConfigError                 2   the user's input: a file, an option, a name
│   └── FormatError             2   a file of ours that can't be read (version, syntax, key)
├── DeviceError                 3   the device or the way to it
│   ├── TransientDeviceError    3   may be tried again: the link broke
│   │   ├── DeadlinePassed      3   no answer in time; the link may still be good
│   │   └── ProcessEnded        3   a process on the device is gone
│   ├── StableDeviceError       3   trying again changes nothing: no space, unauthorized
│   │   └── NoAgentError        3   no agent runs on this device; its facts can still be had
│   └── AgentError              3   the agent answered with an error; `code` says which (2 if the
│                                   model or the request is at fault)
├── ProtocolMismatch            3   host and agent are of different versions
├── TechniqueNotApplicable      1   a plan asks for what a layer can't take
├── ConversionError             1   the network did not become a .tflite
├── DemandUnmet                 4   no plan meets the user's limits
└── Interrupted               130   Ctrl-C; what was done is kept

A message says what failed, on which device, and what to do next, in one sentence or two.
"""

from __future__ import annotations


class AdaDeepError(Exception):
    """Root of all errors that this package raises on purpose."""

    exit_code = 1


class ConfigError(AdaDeepError):
    """The user's input is wrong: a missing file, an unknown name, a senseless option."""

    exit_code = 2


class FormatError(ConfigError):
    """A file of this package's own formats can't be read."""


class DeviceError(AdaDeepError):
    """Something failed on a device, or on the way to it."""

    exit_code = 3


class TransientDeviceError(DeviceError):
    """The link broke or a deadline passed: trying again may work."""


class DeadlinePassed(TransientDeviceError):
    """No answer before the deadline; what was read so far is kept, reading may go on."""


class ProcessEnded(TransientDeviceError):
    """A long-lived process on a device has ended.

    Attributes:
        status: its exit code, a signal below 0 or above 128; None if it did not come.
    """

    _FAULTS = (4, 5, 6, 7, 8, 11)  # Linux' SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def crashed(self) -> bool:
        """Whether a fault of its own ended it, and nobody else."""
        status = self.status or 0
        return (-status if status < 0 else status - 128) in self._FAULTS


class StableDeviceError(DeviceError):
    """Trying again changes nothing until the user does something."""


class NoAgentError(StableDeviceError):
    """No agent can run on the device as it is; what needs none (its facts) can still be had."""


class AgentError(DeviceError):
    """The agent answered a request with an error.

    Attributes:
        code: one of `adadeep_agent.wire.ErrorCode`, for example ``model_corrupt``, or one of
            `adadeep.measure.faults`.
        model: name of the model that is at fault, as the request had it; None if none is.
    """

    _USERS_FAULT = (
        "model_corrupt", "run_failed", "open_shape", "unsupported_op", "bad_input",
        "bad_core_mask", "runtime_crashed", "overdue",
    )  # fmt: skip

    def __init__(self, message: str, code: str, model: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.model = model
        self.exit_code = ConfigError.exit_code if code in self._USERS_FAULT else 3


class ProtocolMismatch(DeviceError):
    """Host and agent speak different versions of the protocol."""


class TechniqueNotApplicable(AdaDeepError):
    """A compression plan asks for what a layer can't take."""


class ConversionError(AdaDeepError):
    """A network could not be converted to .tflite."""


class DemandUnmet(AdaDeepError):
    """No plan that was tried meets the user's limits; the best one is still reported."""

    exit_code = 4


class Interrupted(AdaDeepError):
    """The user pressed Ctrl-C."""

    exit_code = 130
