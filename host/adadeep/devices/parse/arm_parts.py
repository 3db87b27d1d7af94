"""Names of ARM cores by implementer and part, as the MIDR register numbers them."""

from __future__ import annotations

_CORTEX = {
    0x920: "ARM920T", 0x926: "ARM926", 0xB02: "ARM11-MPCore", 0xB36: "ARM1136",
    0xB56: "ARM1156", 0xB76: "ARM1176",
    0xC05: "Cortex-A5", 0xC07: "Cortex-A7", 0xC08: "Cortex-A8", 0xC09: "Cortex-A9",
    0xC0D: "Cortex-A12", 0xC0E: "Cortex-A17", 0xC0F: "Cortex-A15",
    0xD01: "Cortex-A32", 0xD02: "Cortex-A34", 0xD03: "Cortex-A53", 0xD04: "Cortex-A35",
    0xD05: "Cortex-A55", 0xD06: "Cortex-A65", 0xD07: "Cortex-A57", 0xD08: "Cortex-A72",
    0xD09: "Cortex-A73", 0xD0A: "Cortex-A75", 0xD0B: "Cortex-A76", 0xD0C: "Neoverse-N1",
    0xD0D: "Cortex-A77", 0xD0E: "Cortex-A76AE", 0xD40: "Neoverse-V1", 0xD41: "Cortex-A78",
    0xD42: "Cortex-A78AE", 0xD43: "Cortex-A65AE", 0xD44: "Cortex-X1", 0xD46: "Cortex-A510",
    0xD47: "Cortex-A710", 0xD48: "Cortex-X2", 0xD49: "Neoverse-N2", 0xD4A: "Neoverse-E1",
    0xD4B: "Cortex-A78C", 0xD4C: "Cortex-X1C", 0xD4D: "Cortex-A715", 0xD4E: "Cortex-X3",
    0xD4F: "Neoverse-V2", 0xD80: "Cortex-A520", 0xD81: "Cortex-A720", 0xD82: "Cortex-X4",
    0xD83: "Neoverse-V3AE", 0xD84: "Neoverse-V3", 0xD85: "Cortex-X925", 0xD87: "Cortex-A725",
    0xD88: "Cortex-A520AE", 0xD89: "Cortex-A720AE", 0xD8A: "C1-Nano", 0xD8B: "C1-Pro",
    0xD8C: "C1-Ultra", 0xD8E: "Neoverse-N3", 0xD90: "C1-Premium",
}  # fmt: skip

_NAMES: dict[int, dict[int, str]] = {
    0x41: _CORTEX,
    0x42: {0x00F: "Brahma-B15", 0x100: "Brahma-B53", 0x516: "ThunderX2"},
    0x43: {0x0A1: "ThunderX", 0x0AF: "ThunderX2"},
    0x46: {0x001: "A64FX"},
    0x48: {0xD01: "TaiShan-V110", 0xD02: "TaiShan-V120", 0xD40: "Cortex-A76"},  # Kirin 980
    0x4E: {0x000: "Denver", 0x003: "Denver-2", 0x004: "Carmel"},
    0x51: {
        0x00F: "Scorpion", 0x02D: "Scorpion", 0x04D: "Krait", 0x06F: "Krait",
        0x001: "Oryon", 0x201: "Kryo", 0x205: "Kryo", 0x211: "Kryo",
        0x800: "Kryo-2xx-Gold", 0x801: "Kryo-2xx-Silver", 0x802: "Kryo-3xx-Gold",
        0x803: "Kryo-3xx-Silver", 0x804: "Kryo-4xx-Gold", 0x805: "Kryo-4xx-Silver",
        0xC00: "Falkor", 0xC01: "Saphira",
    },
    0x53: {0x002: "Exynos-M3", 0x003: "Exynos-M4", 0x004: "Exynos-M5"},
    0x56: {0x581: "PJ4", 0x584: "PJ4B-MP"},
    0x61: {
        0x022: "Icestorm", 0x023: "Firestorm", 0x024: "Icestorm", 0x025: "Firestorm",
        0x032: "Blizzard", 0x033: "Avalanche",
    },
    0xC0: {0xAC3: "Ampere-1", 0xAC4: "Ampere-1a"},
}  # fmt: skip

# In-order cores: in a chip of several kinds they are never the faster one.
_LITTLE = {
    "Cortex-A5", "Cortex-A7", "Cortex-A32", "Cortex-A34", "Cortex-A35", "Cortex-A53",
    "Cortex-A55", "Cortex-A510", "Cortex-A520", "C1-Nano", "Kryo-2xx-Silver",
    "Kryo-3xx-Silver", "Kryo-4xx-Silver", "Icestorm", "Blizzard",
}  # fmt: skip


def part_name(implementer: int, part: int, variant: int | None = None) -> str:
    """ "Cortex-A53"; the raw numbers, "0x41/0xfff", where the name is unknown.

    Args:
        implementer: 0x41 is ARM, 0x51 Qualcomm, 0x53 Samsung, ...
        part: "CPU part" of /proc/cpuinfo.
        variant: "CPU variant"; tells Samsung's first cores apart.
    """
    if (implementer, part) == (0x53, 0x001):
        return "Exynos-M2" if variant == 4 else "Exynos-M1"
    return _NAMES.get(implementer, {}).get(part, f"0x{implementer:02x}/0x{part:03x}")


def is_little(name: str) -> bool:
    """Whether the core is an in-order one, which a chip of two kinds uses as its slower kind."""
    return name in _LITTLE
