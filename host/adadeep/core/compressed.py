"""Compressed: what a technique makes of a network, and what has to be known of its layers then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ModelT = TypeVar("ModelT")


@dataclass(frozen=True, slots=True, eq=False)
class LayerHook:
    """What a technique asks of those who train, count and convert a layer that it made.

    Attributes:
        kept: mask of the kernel, of its shape: the weights outside are zero, and training must
            leave them so. None where all are trained.
        stores_sparse: whether of the kernel only what is `kept` is stored, where the precision
            stores anything sparse.
    """

    kept: npt.NDArray[np.bool_] | None = None
    stores_sparse: bool = False

    def __post_init__(self) -> None:
        if self.stores_sparse and self.kept is None:
            raise ValueError("a kernel that is stored sparse needs a mask of what is kept")


NO_HOOKS: Mapping[str, LayerHook] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Compressed(Generic[ModelT]):
    """A network, and the hooks of those of its layers that have one.

    Attributes:
        network: with its weights.
        hooks: by the layer's name in this network.
    """

    network: ModelT
    hooks: Mapping[str, LayerHook] = field(default_factory=dict)

    @property
    def stores_sparse(self) -> bool:
        """Whether some kernel is to be stored sparse."""
        return any(hook.stores_sparse for hook in self.hooks.values())
