"""half: weights of half the size; what is computed stays float32."""

from __future__ import annotations

from typing import Any


class Half:
    name = "half"
    title = "16-bit floats, rounded after training"
    weight_bits = 16
    activation_bits = 32
    stores_sparse = False
    needs_samples = False
    runs_as_trained = False
    tolerance = 0.01

    def configure(self, converter: Any, samples: Any, sparse: bool) -> None:
        import tensorflow as tf

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]


HALF = Half()
