"""int8 but for the first and the last layer, which stay float32."""

from __future__ import annotations

from typing import Any

from adadeep.convert.calibrated import Calibrated
from adadeep.convert.precisions.int8 import INT8
from adadeep.core.rows import Rows


class Int8Inner:
    """As int8, but the first and the last layer with weights stay as they were trained.

    They lose most: the first sees the raw input, and of the last each step shows in the outputs.
    They are most of a small network's weights, and the step between floats and integers costs
    time, so a search tries it only if it is named: `adadeep compress --explain` tells whether a
    network needs it.
    """

    name = "int8_inner"
    title = "8-bit integers, but for the first and the last layer"
    weight_bits = 8
    activation_bits = 8
    stores_sparse = False
    needs_samples = True
    runs_as_trained = False
    tolerance = 0.05  # kernels round to one step or the next
    is_searched = False
    keeps_ends = True

    def configure(self, converter: Any, samples: Rows | None, sparse: bool) -> None:
        """Has the converter stop once it knows the ranges."""
        INT8.configure(converter, samples, sparse)
        converter._experimental_calibrate_only = True

    def finish(self, converted: bytes) -> bytes:
        """Quantises what lies between the ends."""
        calibrated = Calibrated(converted)
        return calibrated.quantised(calibrated.ends)


INT8_INNER = Int8Inner()
