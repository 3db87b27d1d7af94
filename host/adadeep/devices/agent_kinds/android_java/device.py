"""What a device has that the Android agent needs, in one round trip."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adadeep.core.clock import Deadline
from adadeep.core.transport import Transport
from adadeep.devices.agent_kinds.android_java.runtimes import ABIS
from adadeep.devices.parse.os_release import abi_of_machine
from adadeep.devices.parse.sections import integer

_KILO = 1024
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,80}")

# Toybox has `getconf` from Android 9 on; before that there were no pages but those of 4 KB. That
# flock works is tried, for a shell may keep descriptors from the programs that it starts. The
# sizes are of our files, whose names end with the hash of what they should hold.
_SCRIPT = """
echo app $(command -v app_process)
cd {folder}
echo flock $({ flock -n 9 && echo works; } 2>/dev/null 9>>lock.$$; rm -f lock.$$)
echo sum $(command -v sha256sum)
echo page $(getconf PAGE_SIZE 2>/dev/null)
echo smaps $(grep -m 1 KernelPageSize /proc/self/smaps 2>/dev/null)
echo abis $(getprop ro.product.cpu.abilist 2>/dev/null)
echo abi $(getprop ro.product.cpu.abi 2>/dev/null)
echo machine $(uname -m 2>/dev/null)
for f in *.jar *.so; do [ -f "$f" ] && echo file $f $(wc -c <"$f"); done
true
"""


@dataclass(frozen=True, slots=True)
class AndroidDevice:
    """A device.

    Attributes:
        app_process: path of the program that runs Java; None if it has none.
        has_flock: whether a shell there can take the device's lock by it.
        has_sha256sum: whether a shell there can tell a file's hash.
        page_bytes: of its memory; None where nothing tells.
        abis: that we have libraries for, the preferred one first.
        files: of ours there, with their sizes.
        is_android: whether it has properties, as Android has.
    """

    app_process: str | None = None
    has_flock: bool = False
    has_sha256sum: bool = False
    page_bytes: int | None = None
    abis: tuple[str, ...] = ()
    files: Mapping[str, int] = field(default_factory=dict)
    is_android: bool = False


def look(transport: Transport, deadline: Deadline) -> AndroidDevice:
    """Asks a device.

    Raises:
        DeviceError: the device can't be reached.
    """
    script = _SCRIPT.replace("{folder}", shlex.quote(transport.workdir))
    return parse_look(transport.run(script, deadline).text)


def parse_look(text: str) -> AndroidDevice:
    """The device out of what the script printed."""
    told: dict[str, str] = {}
    files: dict[str, int] = {}
    for line in text.splitlines()[:1000]:
        word, _, rest = line[:1000].strip().partition(" ")
        name, _, size = rest.partition(" ")
        if word == "file" and _FILE.fullmatch(name) and integer(size) is not None:
            files[name] = integer(size) or 0
        else:
            told.setdefault(word, rest.strip())
    return AndroidDevice(
        app_process=told.get("app") or None,
        has_flock=bool(told.get("flock")),
        has_sha256sum=bool(told.get("sum")),
        page_bytes=_page_bytes(told.get("page", ""), told.get("smaps", "")),
        abis=_abis(told.get("abis", "").split(","), [told.get("abi", "")], told.get("machine")),
        files=files,
        is_android=bool(told.get("abis") or told.get("abi")),
    )


def _page_bytes(getconf: str, smaps: str) -> int | None:
    """Out of "16384", else out of "KernelPageSize: 16 kB"."""
    size = integer(getconf)
    if size is None:
        found = re.fullmatch(r"KernelPageSize:\s*(\d{1,9}) kB", smaps)
        size = int(found[1]) * _KILO if found else None
    return size if size and size & (size - 1) == 0 else None


def _abis(listed: Iterable[str], preferred: Iterable[str], machine: str | None) -> tuple[str, ...]:
    """Those that we have libraries for: of the list, else the one, else that of the kernel."""
    for names in (listed, preferred, abi_of_machine(machine)):
        if known := tuple(name for name in map(str.strip, names) if name in ABIS):
            return known
    return ()
