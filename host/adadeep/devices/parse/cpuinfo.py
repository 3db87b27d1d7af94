"""/proc/cpuinfo: one block a core, or one shared block of old kernels; ARM and x86."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from adadeep.devices.parse.arm_parts import part_name
from adadeep.devices.parse.sections import clean_lines, integer


@dataclass(frozen=True, slots=True)
class CpuInfo:
    """What /proc/cpuinfo tells.

    Attributes:
        parts: core number -> name of its kind; cores that are offline may be missing.
        shared_parts: kinds named once for the whole processor (old kernels): that of the core
            which happened to answer, or all kinds.
        listed: numbers of the cores that have a block.
        hardware: the "Hardware" line.
        model_name: the "model name" of x86.
        serial: the "Serial" line, if not all zeros.
    """

    parts: Mapping[int, str] = field(default_factory=dict)
    shared_parts: tuple[str, ...] = ()
    listed: tuple[int, ...] = ()
    hardware: str | None = None
    model_name: str | None = None
    serial: str | None = None


def _hex_numbers(text: str) -> list[int]:
    return [int(number, 16) for number in re.findall(r"0x([0-9a-fA-F]{1,4})\b", text)]


def _part_names(block: Mapping[str, str]) -> tuple[str, ...]:
    implementer = _hex_numbers(block.get("CPU implementer", ""))
    variants = _hex_numbers(block.get("CPU variant", ""))
    parts = _hex_numbers(block.get("CPU part", ""))  # Kirin 920: "0xc07 & 0xc0f"
    if not implementer or not parts:
        return ()
    padded = variants + [-1] * len(parts)
    return tuple(
        part_name(implementer[0], part, variant)
        for part, variant in zip(parts, padded, strict=False)
    )


def _blocks(text: str) -> tuple[dict[int, dict[str, str]], dict[str, str]]:
    """Blocks by core number, and the keys that stand outside them.

    A block begins at "processor: N". Where no block but the last names a part, that part and what
    follows it is shared: old kernels print it once, behind the blocks.
    """
    cores: dict[int, dict[str, str]] = {}
    shared: dict[str, str] = {}
    current = shared
    for line in clean_lines(text):
        key, colon, value = (piece.strip() for piece in line.partition(":"))
        if not line.strip():
            current = shared
        if not colon:
            continue
        number = integer(value) if key == "processor" else None
        if number is not None and 0 <= number < 4096:
            current = cores.setdefault(number, {})
        else:
            current.setdefault(key, value)
    return _part_shared(cores, shared)


def _part_shared(
    cores: dict[int, dict[str, str]], shared: dict[str, str]
) -> tuple[dict[int, dict[str, str]], dict[str, str]]:
    """Moves a part that only the last of several blocks names to the shared keys."""
    naming = [number for number, block in cores.items() if "CPU part" in block]
    if len(cores) > 1 and naming == [list(cores)[-1]]:
        shared = {**cores[naming[0]], **shared}
        cores = {**cores, naming[0]: {}}
    return cores, shared


def parse_cpuinfo(text: str) -> CpuInfo:
    """The kinds of the cores, the hardware line and the model name."""
    cores, shared = _blocks(text)
    parts: dict[int, str] = {}
    for number, block in cores.items():
        name = " ".join((_part_names(block) or (_x86_name(block) or "",))[0].split())
        if name:
            parts[number] = name
    everything = [*cores.values(), shared]
    serial = next((b["Serial"] for b in everything if b.get("Serial", "").strip("0")), None)
    return CpuInfo(
        parts=parts,
        shared_parts=_part_names(shared),
        listed=tuple(sorted(cores)),
        hardware=next((b["Hardware"] for b in everything if b.get("Hardware")), None),
        model_name=next((n for b in everything if (n := _x86_name(b))), None),
        serial=serial,
    )


def _x86_name(block: Mapping[str, str]) -> str | None:
    """The model name of an x86 block; on ARM "model name" holds only the architecture."""
    if "vendor_id" not in block and "cpu family" not in block:
        return None
    return " ".join(block.get("model name", "").split()) or None
