"""float16: weights of half the size; what is computed stays float32."""

from __future__ import annotations

from typing import Any

from adadeep.core.rows import Rows


class Float16:
    """Weights stored as 16-bit floats, turned into float32 once, when a model is loaded.

    So a file has half the size and an inference takes as long as float32's: there is nothing to be
    decided by measuring, and a search tries it only if it is named. Pruned kernels are stored
    dense: the converter doesn't make such a file of both.
    """

    name = "float16"
    title = "16-bit floats, rounded after training"
    weight_bits = 16
    activation_bits = 32
    stores_sparse = False
    needs_samples = False
    runs_as_trained = False
    tolerance = 0.01  # a weight is off by 1 in 2000 at the most
    is_searched = False

    def configure(self, converter: Any, samples: Rows | None, sparse: bool) -> None:
        """Asks for weights of 16 bits."""
        import tensorflow as tf

        del samples, sparse
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]


FLOAT16 = Float16()
