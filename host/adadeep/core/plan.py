"""CompressionPlan: which technique with which hyper-parameters on which layer, plus precision."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

NONE = "none"


class Precision(StrEnum):
    """Number format of weights and activations in the .tflite."""

    FLOAT32 = "float32"
    INT8 = "int8"


@dataclass(frozen=True, slots=True, order=True)
class LayerChoice:
    """A technique and its hyper-parameters, as decided for one layer.

    Attributes:
        technique: its registered name, for example "W1f"; "none" leaves the layer as it is.
        parameters: sorted (name, value) pairs.
    """

    technique: str = NONE
    parameters: tuple[tuple[str, float | int | str], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(sorted((k, v) for k, v in self.parameters)))

    @property
    def label(self) -> str:
        """Short text: "W3(layout=block,sparsity=0.9)"."""
        if not self.parameters:
            return self.technique
        return f"{self.technique}({','.join(f'{k}={v}' for k, v in self.parameters)})"


@dataclass(frozen=True, slots=True)
class CompressionPlan:
    """A decision for every layer that was decided on; layers not named stay as they are.

    Attributes:
        choices: sorted (layer name, choice) pairs; "none" choices are dropped.
        precision: of the whole network.
    """

    choices: tuple[tuple[str, LayerChoice], ...] = ()
    precision: Precision = Precision.FLOAT32

    def __post_init__(self) -> None:
        kept = tuple(sorted((n, c) for n, c in self.choices if c.technique != NONE))
        object.__setattr__(self, "choices", kept)

    def choice(self, layer: str) -> LayerChoice:
        """What was decided for a layer."""
        return dict(self.choices).get(layer, LayerChoice())

    @property
    def canonical_json(self) -> str:
        """The one text of this plan: sorted keys, no white space."""
        layers = {n: {"technique": c.technique, **dict(c.parameters)} for n, c in self.choices}
        content = {"layers": layers, "precision": str(self.precision)}
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @property
    def key(self) -> str:
        """First 16 hex digits of the SHA-256 of the canonical JSON; the cache key."""
        return hashlib.sha256(self.canonical_json.encode()).hexdigest()[:16]

    @property
    def label(self) -> str:
        """For tables: "conv2:C2(alpha=0.5) fc1:W3(...) int8"; "initial" if nothing is changed."""
        return self._label([f"{name}:{choice.label}" for name, choice in self.choices])

    @property
    def short_label(self) -> str:
        """The same without settings: "conv2:C2 fc1:W3 int8"; plans may share it."""
        return self._label([f"{name}:{choice.technique}" for name, choice in self.choices])

    def _label(self, parts: list[str]) -> str:
        if self.precision is not Precision.FLOAT32:
            parts.append(str(self.precision))
        return " ".join(parts) or "initial"
