"""The Android agent as a kind: what it needs, how it is started, what its errors mean."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from adadeep.core.agent_kind import Preparing
from adadeep.core.check import Check, CheckStatus
from adadeep.core.clock import Deadline
from adadeep.core.device import NO_ANSWER, Capability, CapabilityStatus, DeviceFacts
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, NoAgentError, StableDeviceError
from adadeep.core.stream import Stream
from adadeep.core.transport import Transport
from adadeep.devices.agent_kinds.android_java.built import Built, built
from adadeep.devices.agent_kinds.android_java.device import AndroidDevice, look
from adadeep.devices.agent_kinds.android_java.runtimes import (
    ABIS,
    AarSource,
    BuiltSource,
    RuntimeLibrary,
    RuntimeSource,
)
from adadeep.devices.agent_kinds.android_java.start import keep_newest, start_command
from adadeep_agent.wire import ErrorCode

_OLDEST_SDK = 24  # Android 7: below it adbd has no shell_v2, which keeps stderr and exit codes
_KILO = 1024
_BUSY_WAIT_S = 60.0
_LIBRARY = "library "

_REMEDIES = {
    ErrorCode.NO_RUNTIME: "Give the device another build of TensorFlow Lite: --runtime FILE.aar.",
    ErrorCode.MODEL_CORRUPT: "Convert the model anew, or give a newer runtime:"
    " --runtime FILE.aar.",
    ErrorCode.UNSUPPORTED_OP: "Convert with built-in operators that this runtime has, or give a"
    " newer one: --runtime FILE.aar.",
}


class AndroidAgent:
    """The Android agent on one device: a `ReadyAgent`.

    Args:
        transport: to the device.
        device: what it has.
        agent: what was built.
        source: of its runtime's library.

    Raises:
        ConfigError: the runtime that was named will not do.
        StableDeviceError: the library can't be loaded there.
    """

    def __init__(
        self, transport: Transport, device: AndroidDevice, agent: Built, source: RuntimeSource
    ) -> None:
        self._transport = transport
        self._device = device
        self._built = agent
        self._source = source
        self._library = self._first_guess()

    @property
    def transport(self) -> Transport:
        """To the device."""
        return self._transport

    @property
    def remedies(self) -> Mapping[str, str]:
        """What to do, by error code."""
        return _REMEDIES

    @property
    def library(self) -> RuntimeLibrary:
        """Of the runtime, as far as it is known for which ABI."""
        return self._library

    def open(self, deadline: Deadline) -> Stream:
        """Starts it; says that it, or its library, is missing where it is not there whole.

        Where another agent has the device it waits for it in the shell.
        """
        wait_s = int(min(_BUSY_WAIT_S, deadline.remaining / 2))
        command = start_command(
            self._transport.workdir, self._built.agent, self._library, self._device, wait_s
        )
        return self._transport.open(command, deadline)

    def push(self, deadline: Deadline, lacking: str = "") -> None:
        """Puts the jar there; or a library, for the ABI that the agent says it runs.

        Args:
            deadline: for all of it.
            lacking: empty, or "library ABI".

        Raises:
            ConfigError: there is no library for that ABI.
            StableDeviceError: no space; a library that can't be loaded there; an odd wish.
        """
        if lacking:
            self._library = self._loadable(self._wished(lacking))
            self._put(self._library.name, self._library.data, deadline)
            return
        self._put(self._built.agent.name, self._built.content(self._built.agent), deadline)

    def leave(self, deadline: Deadline) -> None:
        """Nothing was changed; its files stay for the next time."""

    def _first_guess(self) -> RuntimeLibrary:
        """The library that was pushed once; else that for the ABI which the device prefers."""
        preferred, *others = self._device.abis
        first = self._loadable(preferred)
        if self._is_there(first) or not any(name.endswith(".so") for name in self._device.files):
            return first
        for abi in others:
            with contextlib.suppress(ConfigError, StableDeviceError):
                library = self._loadable(abi)
                if self._is_there(library):
                    return library
        return first

    def _is_there(self, library: RuntimeLibrary) -> bool:
        return self._device.files.get(library.name) == len(library.data)

    def _wished(self, lacking: str) -> str:
        abi = lacking.removeprefix(_LIBRARY)
        if lacking == abi or abi not in ABIS:
            raise StableDeviceError(
                f"{self._transport.serial}: the agent there wants what there is not:"
                f" {one_line(lacking, 40)}; remove it: `adadeep doctor --clean`."
            )
        return abi

    def _loadable(self, abi: str) -> RuntimeLibrary:
        library, page = self._source.library(abi), self._device.page_bytes
        if page is not None and library.align_bytes < page:
            raise StableDeviceError(
                f"{self._transport.serial}: its memory has pages of {page // _KILO} KB, and the"
                f" library of {self._source.title} for {abi} is made for"
                f" {library.align_bytes // _KILO} KB; name an archive that is made for them:"
                " --runtime FILE.aar."
            )
        return library

    def _put(self, name: str, data: bytes, deadline: Deadline) -> None:
        self._transport.push(data, f"{self._transport.workdir}/{name}", deadline)
        self._transport.run(keep_newest(self._transport.workdir, name), deadline)


class AndroidJava:
    """The kind: an `AgentKind`."""

    name = "android-java"
    title = "the Android agent"
    priority = 10

    @property
    def remedies(self) -> Mapping[str, str]:
        """What to do, by error code."""
        return _REMEDIES

    def fits(self, facts: DeviceFacts, capabilities: Sequence[Capability]) -> str | None:
        """Whether it runs Java, Android of an age that will do, and the agent is built."""
        if facts.os != "android":
            return "this device does not run Android, as far as it says."
        if _has_no_java(capabilities):
            return f"{_NO_JAVA} `adadeep-profile` records its facts."
        if facts.sdk is not None and facts.sdk < _OLDEST_SDK:
            return (
                f"its Android has API level {facts.sdk}, and the agent needs {_OLDEST_SDK}"
                f" (Android 7) or newer. `adadeep-profile` records its facts."
            )
        if facts.abis and not set(facts.abis) & set(ABIS):
            names = one_line(", ".join(facts.abis), 60)
            return (
                f"there is no runtime for its processor ({names})."
                " `adadeep-profile` records its facts."
            )
        try:
            built()
        except NoAgentError as error:
            return str(error)
        return None

    def prepare(
        self, transport: Transport, deadline: Deadline, preparing: Preparing
    ) -> AndroidAgent:
        """Looks what the device has, and chooses the runtime's library.

        Raises:
            NoAgentError: it can't run there; says what to do.
            ConfigError: the runtime that was named will not do.
            DeviceError: the device can't be reached, or can't load the library.
        """
        agent = built()
        device = look(transport, deadline)
        if device.app_process is None:
            raise NoAgentError(
                f"{transport.serial}: {_NO_JAVA} `adadeep-profile` records its facts."
            )
        if not device.abis:
            raise NoAgentError(
                f"{transport.serial}: it does not say for which processor its programs are"
                f" (getprop ro.product.cpu.abilist). `adadeep-profile` records its facts."
            )
        return AndroidAgent(transport, device, agent, _source(agent, preparing))

    def examine(self, transport: Transport, deadline: Deadline) -> list[Check]:
        """Checks what runs Java there, its ABI and memory pages, and what keeps agents apart.

        Nothing of what is no Android.
        """
        device = look(transport, deadline)
        if device.app_process is None:
            missing = Check("Java", CheckStatus.FAIL, _NO_JAVA, "See what Android it runs.")
            return [missing] if device.is_android else []
        pages = device.page_bytes
        shown = "nothing tells" if pages is None else f"{pages // _KILO} KB"
        lock = "flock" if device.has_flock else "no flock: record locks keep agents apart"
        return [
            Check("Java", CheckStatus.OK, one_line(device.app_process, 80)),
            Check("runtime for", CheckStatus.OK, ", ".join(device.abis) or "nothing tells"),
            Check("memory pages", CheckStatus.OK, shown),
            Check("one agent", CheckStatus.OK, lock),
            _built_check(),
        ]


_NO_JAVA = "it has no app_process, which runs Java on every Android that is whole."


def _has_no_java(capabilities: Sequence[Capability]) -> bool:
    """Whether a look told so; one that had no answer in time, or was not made, does not tell."""
    found = next((one for one in capabilities if one.name == "app_process"), None)
    return found is not None and (
        found.status is not CapabilityStatus.READABLE and found.evidence != NO_ANSWER
    )


def _built_check() -> Check:
    try:
        agent = built().agent
    except NoAgentError as error:
        evidence, _, remedy = str(error).partition(". ")
        return Check("agent's files", CheckStatus.FAIL, evidence, remedy or "Run `make android`.")
    text = f"built, {agent.bytes / 1e3:.0f} kB of Java"
    return Check("agent's files", CheckStatus.OK, text)


def _source(agent: Built, preparing: Preparing) -> RuntimeSource:
    return AarSource(preparing.runtime, agent.calls) if preparing.runtime else BuiltSource(agent)


ANDROID_JAVA = AndroidJava()
