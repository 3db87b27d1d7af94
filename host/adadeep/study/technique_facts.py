"""What is known of techniques beside what they do: the paper's section, and what gains nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TechniqueFacts:
    """What the registry does not tell of a technique.

    Attributes:
        paper: where AdaDeep's paper, or whose, has it.
        settings: that it takes, and their ranges.
    """

    paper: str
    settings: str


FACTS: dict[str, TechniqueFacts] = {
    "W1f": TechniqueFacts(
        "section 5.2.1, k = m/12; of 1x1 convolutions Zhang et al. 2015",
        "rank_divisor: units of a dense layer (12), or the smaller side of a 1x1 convolution (2),"
        " over it are the rank",
    ),
    "W3": TechniqueFacts(
        "section 5.2.1, threshold 0.001; Han et al. 2015",
        "layout: block or unstructured; sparsity 0..0.999, or threshold (0.001)",
    ),
    "C2": TechniqueFacts(
        "section 5.2.1, MobileNet's layer", "alpha 0..1: channels that stay (0.5)"
    ),
    "L1": TechniqueFacts("section 5.2.1, SqueezeNet's Fire layer", "squeeze_ratio 0..1 (0.125)"),
    "L3": TechniqueFacts("section 5.2.1, global average pooling", "none"),
}
# Measured by us; docs/design.md says where.
GAINS_NOTHING = (
    "unstructured pruning (W3, layout=unstructured) makes the file smaller and the network no"
    " faster: the runtime's sparse kernel takes blocks of 1x4. 90 % zeros of a dense layer"
    " 3136x1024: 0.49 ms scattered, 0.060 ms in blocks, 0.44 ms dense",
    "W3 by the paper's threshold 0.001 removes too little to be stored sparse",
    "sparse 1x1 convolutions were not faster",
    "int8 and sparse kernels exclude each other: XNNPACK refuses to run both, so int8 stores the"
    " zeros",
    "float16 halves the file and S_p; the time stays that of float32",
)
