"""W3: magnitude pruning of a dense layer (section 5.2.1; Han et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from adadeep.compress.names import derived
from adadeep.compress.outline import layer_of, part, replaced
from adadeep.compress.parameters import Parameter, checked, number, require
from adadeep.core.compressed import Compressed, LayerHook
from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import LayerChoice

if TYPE_CHECKING:
    import keras
    import numpy as np
    import numpy.typing as npt

# The sparse dense kernel of TFLite reads weights in blocks of 1x4 along the input axis. Measured:
# 90 % of zeros in such blocks make a dense layer 7 times faster, scattered ones not at all.
BLOCK = 4

_PAPER_THRESHOLD = 0.001
_MIN_WEIGHTS = 4096  # below, indices and blocks cost more than the zeros save
_LAYOUTS = ("unstructured", "block")
_PRUNED = "pruned"
# The converter's kMinSparsityLevel: a weight tensor with fewer zeros stays dense.
_SPARSE_FROM = 0.3


class MagnitudePruning:
    """Sets the smallest weights to zero and keeps them there while training.

    Parameters: `layout` "block" (1x4, what the sparse kernel is fast with) or "unstructured";
    `sparsity` the share of zeros; or, for "unstructured", the paper's absolute `threshold`.
    """

    name = "W3"
    title = "magnitude pruning of a dense layer"
    training_factor = 1
    replaces_following = False

    def applies_to(self, layer: LayerSpec) -> bool:
        """Dense layers that are not tiny."""
        return bool(self.choices(layer))

    def choices(self, layer: LayerSpec) -> Sequence[LayerChoice]:
        """The paper's threshold; then block sparsities, where the inputs divide into blocks."""
        if not self._takes(layer) or layer.weights < _MIN_WEIGHTS:
            return ()
        settings: list[dict[str, Parameter]] = [
            {"layout": "unstructured", "threshold": _PAPER_THRESHOLD}
        ]
        if layer.input_shape[0] % BLOCK == 0:
            settings += [{"layout": "block", "sparsity": share} for share in (0.9, 0.8)]
        settings.append({"layout": "unstructured", "sparsity": 0.9})
        return tuple(LayerChoice(self.name, tuple(one.items())) for one in settings)

    def apply(
        self, model: keras.Model, layer: str, choice: LayerChoice, samples: Any = None
    ) -> Compressed[keras.Model]:
        """Replaces the layer by one with the same weights less the pruned ones.

        Raises:
            TechniqueNotApplicable: the layer is no dense layer, or a parameter is wrong.
        """
        import keras
        import numpy as np

        from adadeep.compress import describe, surgery

        del samples  # the weights alone say it
        graph = surgery.as_functional(model)
        spec = describe.model_spec(graph)
        self.outline(spec, layer, choice)
        settings = self._settings(layer_of(spec, layer), choice)
        old = graph.get_layer(layer)
        kernel = np.asarray(old.kernel)
        kept = settings.mask(kernel)
        weights = [kernel * kept] if old.bias is None else [kernel * kept, np.asarray(old.bias)]
        name = derived(layer, _PRUNED)

        def build(tensor: object) -> object:
            config = {**old.get_config(), "name": name}
            return surgery.placed(keras.layers.Dense.from_config(config), tensor, *weights)

        network = surgery.rebuild(graph, {layer: surgery.Replacement(build)})
        is_sparse = _is_sparse(int(np.count_nonzero(kept)), kept.size)
        return Compressed(network, {name: LayerHook(kept, is_sparse)})

    def outline(self, model: ModelSpec, layer: str, choice: LayerChoice) -> ModelSpec | None:
        """The network with the pruned layer; None with a threshold: the weights decide.

        Raises:
            TechniqueNotApplicable: see `apply`.
        """
        old = layer_of(model, layer)
        settings = self._settings(old, choice)
        if settings.threshold is not None:
            return None
        size = old.input_shape[0] * old.output_shape[0]
        kept = size - settings.pruned(size)
        stored = old.weights - size + kept if _is_sparse(kept, size) else old.weights
        new = replace(part(old, _PRUNED, old.weights), nonzero_weights=stored)
        return replaced(model, layer, (new,))

    def _takes(self, layer: LayerSpec) -> bool:
        return layer.kind is LayerKind.DENSE and len(layer.input_shape) == 1

    def _settings(self, layer: LayerSpec, choice: LayerChoice) -> _Settings:
        require(self._takes(layer), self.name, layer, "dense layers")
        given = dict(choice.parameters)
        parameters = checked(choice, {"layout": "unstructured", "sparsity": 0.9, "threshold": 0.0})
        layout = parameters["layout"]
        if layout not in _LAYOUTS or ("threshold" in given) == ("sparsity" in given):
            raise TechniqueNotApplicable(
                "W3 takes layout block or unstructured, and either sparsity or threshold;"
                f" given is {', '.join(f'{n}={v}' for n, v in given.items()) or 'none of them'}."
                " Write W3:0.9 for a sparsity of 90 %."
            )
        if "threshold" in given:
            by_threshold, takes = f"{self.name} with a threshold", "the layout unstructured"
            require(layout == "unstructured", by_threshold, layer, takes)
            limit = number(choice, parameters, "threshold", 0.0, float("inf"))
            return _Settings(threshold=limit)
        block = BLOCK if layout == "block" else 1
        takes = f"layers whose inputs are a multiple of {block}"
        require(layer.input_shape[0] % block == 0, f"{self.name} in blocks", layer, takes)
        return _Settings(number(choice, parameters, "sparsity", 0.0, 0.999), block)


@dataclass(frozen=True, slots=True)
class _Settings:
    """What to prune.

    Attributes:
        sparsity: share of weights, where there is no threshold.
        block: inputs that a weight goes together with.
        threshold: weights below it go.
    """

    sparsity: float = 0.0
    block: int = 1
    threshold: float | None = None

    def pruned(self, size: int) -> int:
        """How many of that many weights go by their share."""
        return self.block * _share(self.sparsity, size // self.block)

    def mask(self, kernel: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Which weights stay."""
        if self.threshold is not None:
            kept: npt.NDArray[np.bool_] = abs(kernel) >= self.threshold
            return kept
        if self.block == 1:
            return largest(abs(kernel), self.sparsity)
        return block_mask(kernel, self.sparsity)


def _is_sparse(kept: int, size: int) -> bool:
    return 1 - kept / size > _SPARSE_FROM


def _share(sparsity: float, size: int) -> int:
    return round(sparsity * size)


def largest(magnitudes: Any, sparsity: float) -> npt.NDArray[np.bool_]:
    """Mask of all but the smallest `sparsity` share."""
    import numpy as np

    dropped = _share(sparsity, magnitudes.size)
    mask = np.ones(magnitudes.size, dtype=np.bool_)
    mask[np.argpartition(magnitudes, dropped - 1, axis=None)[:dropped]] = False
    return mask.reshape(magnitudes.shape)


def block_mask(kernel: npt.NDArray[np.float32], sparsity: float) -> npt.NDArray[np.bool_]:
    """Mask in blocks of 1x4 along the input axis; blocks count by their Euclidean norm.

    Args:
        kernel: (inputs, units); inputs are a multiple of 4.
        sparsity: share of blocks to drop.
    """
    import numpy as np

    inputs, units = kernel.shape
    energies = np.square(kernel).reshape(inputs // BLOCK, BLOCK, units).sum(axis=1)
    return np.repeat(largest(energies, sparsity), BLOCK, axis=0)


W3 = MagnitudePruning()
