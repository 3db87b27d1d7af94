"""/proc/meminfo."""

from __future__ import annotations

import re

from adadeep.devices.parse.sections import clean_lines


def parse_ram_bytes(text: str) -> int | None:
    """MemTotal in bytes; None if there is none."""
    for line in clean_lines(text):
        match = re.match(r"\s*MemTotal:\s*([0-9]{1,15})\s*kB\s*$", line)
        if match and int(match[1]):
            return int(match[1]) * 1024
    return None
