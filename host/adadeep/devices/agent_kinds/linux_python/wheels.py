"""Wheels for another computer's Python, downloaded by pip on this one."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from adadeep.core.clock import Deadline
from adadeep.core.errors import StableDeviceError
from adadeep.devices.shell import run_process

_OLDEST_GLIBC_MINOR = 5  # manylinux1
_ALIASES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}  # PEP 600
_NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|Temporary failure|timed out|ConnectTimeout|"
    r"Network is unreachable|ProxyError|Max retries exceeded"
)


@dataclass(frozen=True, slots=True)
class WheelTarget:
    """What a wheel must suit.

    Attributes:
        python: major and minor version.
        machine: as in wheel names: "x86_64", "aarch64", "armv7l".
        glibc_minor: of glibc 2; None where the C library is another one.
    """

    python: tuple[int, int]
    machine: str
    glibc_minor: int | None

    @classmethod
    def of(cls, python: tuple[int, int], machine: str, bits: int, libc: str) -> Self:
        """From what a board says of itself."""
        if machine == "aarch64" and bits == 32:
            machine = "armv7l"
        if machine.startswith("armv8"):
            machine = "aarch64" if bits == 64 else "armv7l"
        match = re.fullmatch(r"glibc 2\.(\d+).*", libc)
        return cls(python, machine, int(match[1]) if match else None)

    def __str__(self) -> str:
        return f"Python {self.python[0]}.{self.python[1]} on {self.machine}"

    @property
    def tag(self) -> str:
        """For example "cp311"."""
        return f"cp{self.python[0]}{self.python[1]}"

    @property
    def platforms(self) -> list[str]:
        """Platform tags that run there, newest first; empty without glibc."""
        if self.glibc_minor is None:
            return []
        tags = []
        for minor in range(self.glibc_minor, _OLDEST_GLIBC_MINOR - 1, -1):
            tags.append(f"manylinux_2_{minor}_{self.machine}")
            if minor in _ALIASES:
                tags.append(f"{_ALIASES[minor]}_{self.machine}")
        return [*tags, f"linux_{self.machine}"]

    @property
    def requirements(self) -> list[tuple[str, str]]:
        """Runtime and numpy, as pip names them, in the order to try them."""
        old = ("tflite-runtime", "numpy<2")  # built against numpy 1
        return [old] if self.machine == "armv7l" else [("ai-edge-litert", "numpy"), old]


def download_wheels(
    target: WheelTarget, folder: Path, have_numpy: bool, who: str, deadline: Deadline
) -> list[Path]:
    """Downloads the wheels of a TFLite runtime, and of numpy where it is missing.

    Args:
        target: what they must suit.
        folder: where they go.
        have_numpy: leave numpy out.
        who: the device that errors name.
        deadline: for the downloads.

    Raises:
        StableDeviceError: no such wheels, no network, or no pip.
        TransientDeviceError: the deadline passed.
    """
    if not target.platforms:
        raise StableDeviceError(
            f"{who}: its C library is not glibc, and there are no TFLite runtimes for others. "
            "Use a distribution with glibc (Debian, Ubuntu, Raspberry Pi OS)."
        )
    said = ""
    for runtime, numpy in target.requirements:
        wanted = [runtime] if have_numpy else [runtime, numpy]
        done = run_process(_pip(target, folder, wanted), deadline, who)
        if done.exit_code == 0:
            return sorted(folder.glob("*.whl"))
        said = said or done.text
    raise _failure(target, who, said)


def _pip(target: WheelTarget, folder: Path, wanted: list[str]) -> list[str]:
    platforms = [f"--platform={name}" for name in target.platforms]
    return [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-input", "--retries=2",  # a retry's warning is all that tells of a dead network
        "--no-deps", "--only-binary=:all:", "--implementation=cp",
        f"--python-version={target.python[0]}.{target.python[1]}",
        f"--abi={target.tag}", "--abi=abi3", "--abi=none",
        *platforms, f"--dest={folder}", *wanted,
    ]  # fmt: skip


def _failure(target: WheelTarget, who: str, said: str) -> StableDeviceError:
    if "No module named pip" in said:
        return StableDeviceError(
            f"{who}: this computer's Python has no pip to download with. Run "
            f"`{sys.executable} -m ensurepip`, then try again."
        )
    if _NO_NETWORK.search(said):
        return StableDeviceError(
            f"{who}: the package index can't be reached from this computer. Check its network "
            "(or PIP_INDEX_URL), then try again; or install a runtime on the device by hand."
        )
    if re.search(r"No matching distribution found for numpy|requirement numpy", said):
        return StableDeviceError(
            f"{who}: there is no wheel of numpy for {target}. Install its distribution's own "
            "there (Debian: apt install python3-numpy), then run this again for the runtime."
        )
    reason = next((line for line in said.splitlines() if line.startswith("ERROR")), said[-200:])
    return StableDeviceError(
        f"{who}: there are no wheels of numpy and a TFLite runtime for {target} ({reason}). "
        "Install them there by hand, or name another package index in PIP_EXTRA_INDEX_URL."
    )
