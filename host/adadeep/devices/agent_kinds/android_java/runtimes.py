"""Which library of TensorFlow Lite goes to a device: a built one, or one of the user's archive."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.reader import read_bytes
from adadeep.devices.agent_kinds.android_java.built import Built
from adadeep.devices.parse.elf import ElfLibrary, parse_elf

ABIS = ("arm64-v8a", "armeabi-v7a", "x86_64", "x86")
_MOST_AAR_BYTES = 256_000_000
_MOST_LIBRARY_BYTES = 64_000_000
_MOST_MEMBERS = 10_000
_LIBRARY = re.compile(r"jni/([a-z0-9_-]{1,20})/[A-Za-z0-9_.-]{1,80}\.so")
_USUAL = "libtensorflowlite_jni.so"


@dataclass(frozen=True, slots=True)
class RuntimeLibrary:
    """A library for one ABI.

    Attributes:
        abi: that it is for.
        data: its bytes.
        sha256: of them.
        align_bytes: the largest page of memory on which it can be loaded.
    """

    abi: str
    data: bytes
    sha256: str
    align_bytes: int

    @property
    def name(self) -> str:
        """On a device: never stale."""
        return f"libtensorflowlite_jni-{self.sha256[:16]}.so"


class RuntimeSource(Protocol):
    """Where a library comes from."""

    @property
    def title(self) -> str:
        """For people."""
        ...

    def library(self, abi: str) -> RuntimeLibrary:
        """The library for an ABI of `ABIS`.

        Raises:
            ConfigError: there is none, or it will not do.
        """
        ...


@dataclass(frozen=True, slots=True)
class BuiltSource:
    """The libraries that `make android` took out of the pinned archive."""

    built: Built

    @property
    def title(self) -> str:
        """Name and version."""
        return f"TensorFlow Lite {one_line(self.built.runtime.version, 40)}"

    def library(self, abi: str) -> RuntimeLibrary:
        """The built one.

        Raises:
            ConfigError: there is none, or it is not as it was built.
        """
        one = self.built.libraries.get(abi)
        if one is None:
            raise ConfigError(
                f"{self.title} was built without a library for {abi}; name an archive that has"
                " one: --runtime FILE.aar."
            )
        return RuntimeLibrary(abi, self.built.content(one), one.sha256, one.align)


@dataclass(frozen=True, slots=True)
class AarSource:
    """An archive that the user named.

    Attributes:
        path: of the AAR.
        calls: the functions that a library must have.
    """

    path: Path
    calls: Sequence[str]

    @property
    def title(self) -> str:
        """The file's name."""
        return one_line(self.path.name, 80)

    def library(self, abi: str) -> RuntimeLibrary:
        """The library in it that has what the agent calls.

        Raises:
            ConfigError: no archive, no library for the ABI, or one that lacks what is called.
        """
        lacking: list[str] = []
        for name, data in self._libraries(abi):
            found = parse_elf(data, f"{self.title}: {name}")
            self._require_abi(found, name, abi)
            lacking = [call for call in self.calls if call not in found.functions]
            if not lacking:
                digest = hashlib.sha256(data).hexdigest()
                return RuntimeLibrary(abi, data, digest, found.align_bytes)
        raise ConfigError(
            f"{self.title}: its library for {abi} lacks {len(lacking)} of the"
            f" {len(self.calls)} functions that the agent calls, first {lacking[0]}; build an"
            f" agent for it: make android RUNTIME={one_line(str(self.path))}."
        )

    def _require_abi(self, found: ElfLibrary, name: str, abi: str) -> None:
        if found.abi != abi:
            raise FormatError(
                f"{self.title}: {name} is a library for {found.abi or 'another processor'}; take"
                " another archive."
            )

    def _libraries(self, abi: str) -> Iterator[tuple[str, bytes]]:
        """Names and bytes of the libraries for an ABI, at least one; the usual one first."""
        data = read_bytes(self.path, _MOST_AAR_BYTES)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = archive.infolist()[:_MOST_MEMBERS]
                own = [one for one in members if _abi_of(one) == abi]
                if not own:
                    raise self._without(abi, members)
                for one in sorted(own, key=lambda one: not one.filename.endswith(_USUAL)):
                    yield one.filename, self._content(archive, one)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError,
                RuntimeError, ValueError) as error:  # fmt: skip
            raise FormatError(
                f"{self.title} is no archive that can be read; name the .aar of TensorFlow Lite or"
                " LiteRT."
            ) from error

    def _content(self, archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
        with archive.open(one) as file:
            data = file.read(_MOST_LIBRARY_BYTES + 1)
        if len(data) > _MOST_LIBRARY_BYTES:
            raise FormatError(
                f"{self.title}: {one_line(one.filename)} is larger than"
                f" {_MOST_LIBRARY_BYTES / 1e6:g} MB; name another archive."
            )
        return data

    def _without(self, abi: str, members: Sequence[zipfile.ZipInfo]) -> ConfigError:
        found = sorted({other for one in members if (other := _abi_of(one))})
        has = ", ".join(found[:8]) or "none at all"
        return ConfigError(
            f"{self.title} has no library for {abi} (those for: {has}); name the .aar of"
            " TensorFlow Lite or LiteRT that has one."
        )


def _abi_of(member: zipfile.ZipInfo) -> str | None:
    """The ABI that a member of an archive is a library for; None if it is none."""
    found = _LIBRARY.fullmatch(member.filename)
    return found[1] if found else None
