"""A folder on a device for what is only passing, which vanishes with the host that made it.

Its guard is a process on the device that waits for the end of its stdin. That end comes however
the host goes (done, killed, unplugged), so the device tidies itself. What a guard could not remove
(the device was switched off) the next contact does.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator

from adadeep.core.clock import Deadline
from adadeep.core.display import one_line
from adadeep.core.errors import DeviceError, StableDeviceError
from adadeep.core.transport import Transport

_CLEAN_UP_S = 10.0

# Names the folder by its process, which is known by the last word of its command line.
# What is unpacked there may be at work still when the guard removes it: hence again, a few times.
_GUARD = (
    'p={folder}/tmp; t="$p/$$"; mkdir -p "$t" && echo "$t"; cat >/dev/null; i=0; '
    'while rm -rf "$t" 2>/dev/null; [ -e "$t" ] && [ $i -lt 20 ]; do sleep 1; i=$((i+1)); done; '
    'rmdir "$p" 2>/dev/null; : adadeep-guard'
)
# The pattern does not match the command line that it stands in.
_SWEEP = (
    'for d in {folder}/tmp/*; do [ -d /proc/self ] && [ -d "$d" ] || continue; '
    "tr '\\0' ' ' 2>/dev/null <\"/proc/${{d##*/}}/cmdline\" | grep -q '[a]dadeep-guard' "
    '|| rm -rf "$d"; done 2>/dev/null; '
)


@contextlib.contextmanager
def passing_folder(transport: Transport, deadline: Deadline) -> Iterator[str]:
    """A new folder on the device, below the work folder, removed when the block ends.

    Raises:
        StableDeviceError: it can't be made.
        TransientDeviceError: the link broke or the deadline passed.
    """
    guard = transport.open(_GUARD.format(folder=shlex.quote(transport.workdir)), deadline)
    try:
        folder = guard.read_line(deadline).decode("utf-8", "replace").strip()
        if not folder.startswith(f"{transport.workdir}/tmp/"):
            raise StableDeviceError(
                f"{transport.serial}: no folder can be made in {transport.workdir}"
                f" ({one_line(folder, 80)}). See what `adadeep doctor` says of it."
            )
        try:
            yield folder
        finally:
            with contextlib.suppress(DeviceError):  # the guard does so too, but a moment later
                command = f"rm -rf {shlex.quote(folder)}"
                transport.run(command, Deadline.after(_CLEAN_UP_S))
    finally:
        guard.close()


def sweep_script(workdir: str) -> str:
    """Shell commands that remove the passing folders whose guard is gone."""
    return _SWEEP.format(folder=shlex.quote(workdir))
