"""float32: as the network was trained."""

from __future__ import annotations

from typing import Any

from adadeep.core.rows import Rows


class Float32:
    """Weights and activations as they were trained; pruned kernels are stored sparse."""

    name = "float32"
    title = "32-bit floats, as trained"
    weight_bits = 32
    activation_bits = 32
    stores_sparse = True
    needs_samples = False
    runs_as_trained = True
    tolerance = 1e-3  # kernels differ in the order of their sums

    def configure(self, converter: Any, samples: Rows | None, sparse: bool) -> None:
        """Asks for sparse kernels, or for nothing."""
        import tensorflow as tf

        del samples
        if sparse:
            converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]


FLOAT32 = Float32()
