"""What converting a network takes of this computer's memory, before it is begun."""

from __future__ import annotations

from pathlib import Path

from adadeep.core.errors import ConfigError
from adadeep.core.units import format_bytes

# Measured (peak resident size of load, conversion to float32 and int8, check): LeNet of 3.3
# million parameters 0.9 GB, MobileNetV2 0.9, ResNet50 2.5, one of 58 million 5.8. TensorFlow alone
# is 0.6, and the converter has the weights as constants of a graph, its text, MLIR's, the file's.
_BASE_BYTES = 0.7e9
_BYTES_A_WEIGHT = 4 * 21


def expected_memory_bytes(weights: int) -> float:
    """About the most that the process holds while a network of so many weights is converted."""
    return _BASE_BYTES + _BYTES_A_WEIGHT * weights


def require_memory(weights: int, free_bytes: float | None = None) -> None:
    """Says so before where a network of so many weights will not fit.

    Args:
        weights: of the network.
        free_bytes: what may still be had; None asks the system, and where it does not tell
            nothing is refused.

    Raises:
        ConfigError: it needs more than there is.
    """
    free = available_bytes() if free_bytes is None else free_bytes
    # TensorFlow, which the process has loaded by now, is not needed again.
    needed = expected_memory_bytes(weights) - _BASE_BYTES
    if free is not None and needed > free:
        raise ConfigError(
            f"To convert a network of {weights / 1e6:.0f} million weights takes about"
            f" {format_bytes(needed)} of memory, and {format_bytes(free)} are free; close other"
            " programs, or use a larger computer."
        )


def available_bytes(meminfo: Path = Path("/proc/meminfo")) -> float | None:
    """What can be had without swapping; None where the system does not tell."""
    try:
        lines = meminfo.read_text().splitlines()
        found = next(line for line in lines if line.startswith("MemAvailable:"))
        return float(found.split()[1]) * 1024
    except (OSError, StopIteration, ValueError, IndexError):
        return None
