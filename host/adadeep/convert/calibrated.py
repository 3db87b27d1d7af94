"""Calibrated: a converted network whose ranges are known, to be quantised in part."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from adadeep.core.rows import Array

_KERNEL_DIMENSIONS = 2  # at the least; biases and scales of channels have one


@dataclass(frozen=True, slots=True)
class Kernel:
    """What tells a kernel from others, whatever order its elements are in.

    Attributes:
        size: number of its elements.
        total: sum of their absolute values.
    """

    size: int
    total: float

    @classmethod
    def of(cls, values: Array) -> Kernel:
        """Of an array."""
        return cls(values.size, float(np.sum(np.abs(values, dtype=np.float64))))

    def is_like(self, other: Kernel) -> bool:
        """Whether it may be the same kernel."""
        return self.size == other.size and math.isclose(self.total, other.total, rel_tol=1e-6)


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator of a .tflite.

    Attributes:
        name: of its first output's tensor, by which it can be left as it is.
        inputs: numbers of the tensors that it takes.
        outputs: numbers of those that it gives.
        kernel: what it multiplies by; None where it has no kernel.
    """

    name: str
    inputs: frozenset[int]
    outputs: frozenset[int]
    kernel: Kernel | None


class Calibrated:
    """What a converter gives that is told to stop once it knows the ranges.

    Args:
        model: a .tflite in float32 with the ranges of its tensors.
    """

    def __init__(self, model: bytes) -> None:
        self._model = model

    @cached_property
    def operators(self) -> tuple[Operator, ...]:
        """In order of execution."""
        from ai_edge_litert import schema_py_generated as schema

        model = schema.Model.GetRootAs(self._model, 0)
        graph = model.Subgraphs(0)
        return tuple(
            _operator(model, graph, graph.Operators(number))
            for number in range(graph.OperatorsLength())
        )

    @property
    def heavy(self) -> tuple[Operator, ...]:
        """Those with kernels."""
        return tuple(operator for operator in self.operators if operator.kernel)

    @property
    def ends(self) -> tuple[Operator, ...]:
        """Those with kernels that see the input or give the output, and what lies outside them."""
        first = _unreached(self.operators)
        last = _unreached(
            [
                Operator(one.name, one.outputs, one.inputs, one.kernel)
                for one in reversed(self.operators)
            ]
        )
        return tuple(one for one in self.operators if one.name in {*first, *last})

    def quantised(self, left: Collection[Operator] = ()) -> bytes:
        """The .tflite in int8, but for those operators, which stay float32.

        Raises:
            Exception: whatever the converter stumbles over.
        """
        from tensorflow.lite.python.convert import mlir_quantize

        names = sorted({operator.name for operator in left})
        return bytes(
            mlir_quantize(
                self._model,
                denylisted_nodes=names or None,
                disable_per_channel_for_dense_layers=True,  # as of int8
            )
        )


def _operator(model: Any, graph: Any, operator: Any) -> Operator:
    inputs = [number for number in operator.InputsAsNumpy() if number >= 0]
    return Operator(
        name=graph.Tensors(operator.Outputs(0)).Name().decode("utf-8"),
        inputs=frozenset(int(number) for number in inputs),
        outputs=frozenset(int(number) for number in operator.OutputsAsNumpy()),
        kernel=next(filter(None, (_kernel(model, graph.Tensors(n)) for n in inputs)), None),
    )


def _kernel(model: Any, tensor: Any) -> Kernel | None:
    """Of a tensor; None where it is no kernel."""
    from ai_edge_litert.schema_py_generated import TensorType

    buffer = model.Buffers(tensor.Buffer())
    is_float = tensor.Type() == TensorType.FLOAT32
    if not buffer.DataLength() or not is_float or tensor.ShapeLength() < _KERNEL_DIMENSIONS:
        return None
    return Kernel.of(buffer.DataAsNumpy().view(np.float32))


def _unreached(operators: Sequence[Operator]) -> set[str]:
    """Names of operators that nothing from a heavy one before them reaches."""
    reached: set[int] = set()
    found = set()
    for operator in operators:
        is_reached = bool(operator.inputs & reached)
        if not is_reached:
            found.add(operator.name)
        if is_reached or operator.kernel:
            reached |= operator.outputs
    return found
