"""What the kernel says around a block of runs, out of the texts that an agent read there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from adadeep.devices.parse.cpu_sysfs import CPU
from adadeep.devices.parse.sections import integer

_DELAY = "/proc/thread-self/schedstat"
_SWITCHES = "/proc/thread-self/status#nonvoluntary_ctxt_switches"
_CLOCK = f"{CPU}/cpu{{core}}/cpufreq/scaling_cur_freq"
_LONGEST_NS, _MOST_SWITCHES, _HIGHEST_KHZ = 3_600_000_000_000, 1_000_000_000, 100_000_000

# What an agent is asked to read around each block; `device_agent/protocol/PROTOCOL.md` has the
# meaning of `{core}` and `#`.
BLOCK_PATHS = (_DELAY, _SWITCHES, _CLOCK)


@dataclass(frozen=True, slots=True)
class BlockFacts:
    """What a block's texts tell; None where the kernel does not.

    Attributes:
        delay_ns: that its thread waited for a processor.
        switches: how often it was driven off one.
        khz: of the core that it began on, afterwards.
    """

    delay_ns: int | None = None
    switches: int | None = None
    khz: int | None = None


def block_facts(before: Mapping[str, str | None], after: Mapping[str, str | None]) -> BlockFacts:
    """The facts; what the texts do not tell, or what can't be, is None.

    Args:
        before: by the entries of `BLOCK_PATHS`, ahead of the block.
        after: behind it.
    """
    delay = _grown(_waited(before.get(_DELAY)), _waited(after.get(_DELAY)), _LONGEST_NS)
    switches = _grown(
        _driven_off(before.get(_SWITCHES)), _driven_off(after.get(_SWITCHES)), _MOST_SWITCHES
    )
    khz = integer((after.get(_CLOCK) or "").strip())
    return BlockFacts(delay, switches, khz if khz and 0 < khz <= _HIGHEST_KHZ else None)


def _waited(text: str | None) -> int | None:
    """`schedstat`: time on a processor, time waiting for one, turns; in ns."""
    match = re.match(r"[0-9]{1,20} ([0-9]{1,20}) [0-9]{1,20}\s*\Z", text or "")
    return int(match[1]) if match else None


def _driven_off(text: str | None) -> int | None:
    match = re.match(r"nonvoluntary_ctxt_switches:\s*([0-9]{1,18})\s*\Z", text or "")
    return int(match[1]) if match else None


def _grown(before: int | None, after: int | None, most: int) -> int | None:
    if before is None or after is None or not 0 <= after - before <= most:
        return None
    return after - before
