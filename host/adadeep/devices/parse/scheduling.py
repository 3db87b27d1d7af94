"""Where a system lets a process run: its cpuset, and the cores that it may use.

Android puts programs into groups of cores by what they are to the user: what is in the
foreground has all of them, what is not has the slow ones. So the same model has other times in a
shell than in an app, and these are never mixed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from adadeep.devices.parse.cpu_sysfs import parse_core_list

_GROUPS, _STATUS = "/proc/self/cgroup", "/proc/self/status"

# What an agent is asked to read of its own process.
SCHEDULING_PATHS = (_GROUPS, _STATUS)
_CPUSET = re.compile(
    r"^[0-9]{1,4}:(?:[a-z_,=]*,)?cpuset(?:,[a-z_,=]*)?:(/[A-Za-z0-9_./-]{0,80})$", re.M
)
_CORES = re.compile(r"^Cpus_allowed_list:\s*([0-9,-]{1,200})$", re.M)


def scheduling_of(texts: Mapping[str, str | None]) -> str | None:
    """ "cpuset /foreground, cores 0-7": the same for what runs alike; None if nothing tells.

    Of groups only that of cores counts: others have the process's id in their names.

    Args:
        texts: what the files hold, by path; None for one that could not be read.
    """
    group = _CPUSET.search(texts.get(_GROUPS) or "")
    cores = _CORES.search(texts.get(_STATUS) or "")
    parts = [f"cpuset {group[1]}"] if group else []
    if cores and parse_core_list(cores[1]):
        parts.append(f"cores {cores[1]}")
    return ", ".join(parts) or None
