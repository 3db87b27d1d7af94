"""What `make android` built, or the wheel brought: the agent's jar, and a library for each ABI."""

from __future__ import annotations

import hashlib
import importlib.resources
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, NoAgentError
from adadeep.core.reader import read_bytes, read_json, require_hex, require_range
from adadeep_agent import wire

MANIFEST = "manifest.json"
_MOST_BYTES = 64_000_000  # of a library; TensorFlow Lite's have 3 to 5 MB
_FILE = re.compile(r"(jni/[a-z0-9_-]{1,20}/)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,80}")


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A file beside the manifest.

    Attributes:
        file: its path from there.
        sha256: of it.
        bytes: of it.
    """

    file: str
    sha256: str
    bytes: int

    def __post_init__(self) -> None:
        if not _FILE.fullmatch(self.file):
            raise ValueError("a file is none of the build's")
        require_hex("sha256", 64, self.sha256)
        require_range("bytes", 1, _MOST_BYTES, self.bytes)


@dataclass(frozen=True, slots=True)
class BuiltLibrary(BuiltFile):
    """A library.

    Attributes:
        align: of its loaded parts, in bytes: the largest page on which it can be loaded.
    """

    align: int

    def __post_init__(self) -> None:
        BuiltFile.__post_init__(self)
        require_range("align", 1, 1 << 30, self.align)


@dataclass(frozen=True, slots=True)
class BuiltAgent(BuiltFile):
    """The jar with the agent's dex.

    Attributes:
        version: of adadeep.
        protocol: that it speaks.
        min_sdk: the oldest API level that runs it.
    """

    version: str
    protocol: int
    min_sdk: int

    @property
    def name(self) -> str:
        """On a device: never stale."""
        return f"agent-{self.sha256[:16]}.jar"


@dataclass(frozen=True, slots=True)
class BuiltRuntime:
    """Where the libraries come from.

    Attributes:
        artifact: "org.tensorflow:tensorflow-lite:2.16.1".
        version: of it.
        aar_sha256: of the archive.
    """

    artifact: str
    version: str
    aar_sha256: str


@dataclass(frozen=True, slots=True)
class Built:
    """What was built.

    Attributes:
        agent: the jar.
        runtime: where the libraries come from.
        libraries: by ABI.
        calls: the functions of a library that the agent's dex calls.
    """

    agent: BuiltAgent
    runtime: BuiltRuntime
    libraries: Mapping[str, BuiltLibrary]
    calls: tuple[str, ...]

    def content(self, one: BuiltFile) -> bytes:
        """A file of it, checked.

        Raises:
            ConfigError: it is missing, or not as it was built.
        """
        path = built_folder() / one.file
        data = read_bytes(path, _MOST_BYTES)
        if hashlib.sha256(data).hexdigest() != one.sha256:
            raise ConfigError(f"{one_line(str(path))} is not as it was built. Run `make android`.")
        return data


def built_folder() -> Path:
    """Where it is: packaged, or in an editable install the checkout's."""
    package = Path(str(importlib.resources.files("adadeep")))
    packaged = package / "_data" / "android"
    return packaged if packaged.is_dir() else package.parents[1] / "android_app" / "dist"


def built() -> Built:
    """What was built, if it is of this version.

    Raises:
        NoAgentError: nothing was, something is wrong with it, or it is of another version.
    """
    path = built_folder() / MANIFEST
    if not path.is_file():
        raise NoAgentError("the Android agent is not built here. Run `make android`.")
    try:
        found = read_json(read_bytes(path), Built, one_line(str(path)))
    except ConfigError as error:
        raise NoAgentError(f"{str(error).rstrip('.')}. Run `make android`.") from error
    agent = found.agent
    if (agent.version, agent.protocol) != (wire.VERSION, wire.PROTOCOL):
        raise NoAgentError(
            f"the Android agent that was built here is of version {one_line(agent.version, 40)}"
            f" (protocol {agent.protocol}), this is {wire.VERSION} ({wire.PROTOCOL})."
            " Run `make android`."
        )
    return found
