"""The analytic costs of section 3 of AdaDeep: Eq. 5 for energy, C/P of Eq. 6 for latency."""

from __future__ import annotations

from adadeep.core.layers import ModelSpec

# Section 3: energy of one multiply-accumulate, "measured to be 52.8 pJ for mobile devices".
MAC_ENERGY_PJ = 52.8
# Section 3, from [48]: one access to the cache (weights) and to DRAM (activations) over a MAC.
WEIGHT_ACCESS_RATIO = 6
ACTIVATION_ACCESS_RATIO = 200

_WORD_BITS = 32
_MJ_PER_PJ = 1e-9


def energy_mj(spec: ModelSpec) -> float:
    """E of one inference, in millijoules.

    Eq. 5: E = e1*C + 6*e1*S_p + 200*e1*S_f. S_p and S_f count accesses of 32-bit words, which
    for float32 is the number of elements (counted in bits, the paper's own LeNet would need
    101 mJ instead of the 4.3 mJ of section 5.3.3); four int8 elements share a word.
    """
    weight_words = spec.parameter_storage_bytes * 8 / _WORD_BITS
    activation_words = spec.activation_storage_bytes * 8 / _WORD_BITS
    energy_in_macs = (
        spec.macs + WEIGHT_ACCESS_RATIO * weight_words + ACTIVATION_ACCESS_RATIO * activation_words
    )
    return MAC_ENERGY_PJ * energy_in_macs * _MJ_PER_PJ


def latency_ms(spec: ModelSpec, macs_per_second: float) -> float:
    """T = C/P of Eq. 6 and 8, in milliseconds.

    Args:
        spec: the network.
        macs_per_second: P, what the device computes.

    Raises:
        ValueError: P is not greater than 0.
    """
    if not macs_per_second > 0:
        raise ValueError(f"macs_per_second must be greater than 0, not {macs_per_second}")
    return 1e3 * spec.macs / macs_per_second
