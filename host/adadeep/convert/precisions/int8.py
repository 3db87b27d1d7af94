"""int8: weights and activations quantised after training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from adadeep.core.rows import Rows, each

_CALIBRATION_SAMPLES = 100


class Int8:
    """Weights of convolutions with a scale a channel, all else with one a tensor, from samples.

    Dense layers have one scale, too, for every runtime's sake: with a scale a channel and a bias
    TensorFlow Lite 2.16.1, which Android's agent brings, leaves them to slower kernels (LeNet:
    3.8 ms for 1.6 ms), while LiteRT 2.3.0 takes the same time for either. One file goes to every
    device of a search. Accuracy was the same to the sample.

    Input and output stay float32, which costs nothing measurable (LeNet: 0.584 ms against
    0.586 ms with int8 ones) and lets every caller feed any model alike. Pruned kernels are stored
    dense: XNNPACK refuses to run what the converter writes of both.
    """

    name = "int8"
    title = "8-bit integers, quantised after training"
    weight_bits = 8
    activation_bits = 8
    stores_sparse = False
    needs_samples = True
    runs_as_trained = False
    tolerance = 0.05  # kernels round to one step or the next

    def configure(self, converter: Any, samples: Rows | None, sparse: bool) -> None:
        """Takes the ranges from the first 100 samples."""
        import tensorflow as tf

        del sparse
        assert samples is not None
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = _feed(samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True


def _feed(samples: Rows) -> Callable[[], Iterator[list[Any]]]:
    def feed() -> Iterator[list[Any]]:
        for row in range(min(len(samples), _CALIBRATION_SAMPLES)):
            yield [array[row : row + 1] for array in each(samples)]

    return feed


INT8 = Int8()
