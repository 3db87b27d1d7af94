"""W3: magnitude pruning of a dense layer (section 5.2.1; Han et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adadeep.compress.names import PRUNED, derived
from adadeep.compress.parameters import Parameter, checked, number, require
from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.layers import LayerKind, LayerSpec
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
    ) -> keras.Model:
        """Replaces the layer by one with the same weights less the pruned ones.

        Raises:
            TechniqueNotApplicable: the layer is no dense layer, or a parameter is wrong.
        """
        import keras
        import numpy as np

        from adadeep.compress import describe, surgery

        del samples  # the weights alone say it
        old = surgery.layer_of(model, layer)
        spec = describe.layer_spec(model, layer)
        require(self._takes(spec), self.name, spec)
        kernel = np.asarray(old.kernel)
        pruned = kernel * self._mask(kernel, choice, spec)
        weights = [pruned] if old.bias is None else [pruned, np.asarray(old.bias)]

        def build(tensor: object) -> object:
            config = {**old.get_config(), "name": derived(layer, PRUNED)}
            return surgery.placed(keras.layers.Dense.from_config(config), tensor, *weights)

        return surgery.rebuild(model, {layer: surgery.Replacement(build)})

    def _takes(self, layer: LayerSpec) -> bool:
        return layer.kind is LayerKind.DENSE and len(layer.input_shape) == 1

    def _mask(
        self, kernel: npt.NDArray[np.float32], choice: LayerChoice, spec: LayerSpec
    ) -> npt.NDArray[np.bool_]:
        """Which weights stay: by threshold, by share, or by share of blocks."""
        given = dict(choice.parameters)
        parameters = checked(choice, {"layout": "unstructured", "sparsity": 0.9, "threshold": 0.0})
        layout = parameters["layout"]
        if layout not in _LAYOUTS or ("threshold" in given) == ("sparsity" in given):
            raise TechniqueNotApplicable(
                f"W3 takes layout block or unstructured, and either sparsity or threshold; "
                f"not {choice.label}."
            )
        if "threshold" in given:
            require(layout == "unstructured", f"{self.name} with a threshold in blocks", spec)
            limit = number(choice, parameters, "threshold", 0.0, float("inf"))
            kept: npt.NDArray[np.bool_] = abs(kernel) >= limit
            return kept
        sparsity = number(choice, parameters, "sparsity", 0.0, 0.999)
        if layout == "unstructured":
            return largest(abs(kernel), sparsity)
        require(kernel.shape[0] % BLOCK == 0, f"{self.name} in blocks", spec)
        return block_mask(kernel, sparsity)


def largest(magnitudes: Any, sparsity: float) -> npt.NDArray[np.bool_]:
    """Mask of all but the smallest `sparsity` share."""
    import numpy as np

    dropped = round(sparsity * magnitudes.size)
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
