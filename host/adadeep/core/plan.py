"""CompressionPlan: which technique with which hyper-parameters on which layer, plus precision."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from adadeep.core.reader import require_name

NONE = "none"
UNCHANGED_PRECISION = "float32"  # of a network as it was trained


@dataclass(frozen=True, slots=True, order=True)
class LayerChoice:
    """A technique and its hyper-parameters, as decided for one layer.

    Attributes:
        technique: its registered name, for example "W1f", whether it is installed here or not;
            "none" leaves the layer as it is.
        parameters: sorted (name, value) pairs.
    """

    technique: str = NONE
    parameters: tuple[tuple[str, float | int | str], ...] = ()

    def __post_init__(self) -> None:
        require_name("technique", self.technique)
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
        precision: of the whole network; its registered name, whether it is installed here or not.
    """

    choices: tuple[tuple[str, LayerChoice], ...] = ()
    precision: str = UNCHANGED_PRECISION

    def __post_init__(self) -> None:
        require_name("precision", self.precision)
        kept = tuple(sorted((n, c) for n, c in self.choices if c.technique != NONE))
        object.__setattr__(self, "choices", kept)

    def choice(self, layer: str) -> LayerChoice:
        """What was decided for a layer."""
        return dict(self.choices).get(layer, LayerChoice())

    @property
    def canonical_json(self) -> str:
        """The one text of this plan: sorted keys, no white space."""
        layers = {n: {"technique": c.technique, **dict(c.parameters)} for n, c in self.choices}
        content = {"layers": layers, "precision": self.precision}
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
        if self.precision != UNCHANGED_PRECISION:
            parts.append(self.precision)
        return " ".join(parts) or "initial"
