"""Small .tflite files that the layers of a profile have not: indices, open sizes, text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

ROWS = 10  # of the table that indices choose from


@dataclass
class Input:
    """An input; `signature` has -1 where its size is open, `scale` makes it quantised data."""

    name: str = "tokens"
    dtype: str = "INT32"
    shape: tuple[int, ...] = (1, 3)
    signature: tuple[int, ...] = ()
    scale: float = 0.0


def gather(given: Input | None = None) -> bytes:
    """A table of 10 rows of 4, from which an input of indices chooses."""
    given = given or Input()
    table = _tensor(Input("table", "FLOAT32", (ROWS, 4)), buffer=1)
    output = _tensor(Input("rows", "FLOAT32", (*given.shape, 4)))
    values = np.arange(ROWS * 4, dtype="<f4")
    operator = ("GATHER", schema.GatherOptionsT(), [1, 0], [2])
    return _model([_tensor(given), table, output], operator, [0], values)


def embedding() -> bytes:
    """An embedding of 10 rows, looked up by 3 indices."""
    table = _tensor(Input("table", "FLOAT32", (ROWS, 4)), buffer=1)
    output = _tensor(Input("rows", "FLOAT32", (3, 4)))
    ids = _tensor(Input("ids", "INT32", (3,)))
    values = np.arange(ROWS * 4, dtype="<f4")
    return _model([ids, table, output], ("EMBEDDING_LOOKUP", None, [0, 1], [2]), [0], values)


def add(*inputs: Input) -> bytes:
    """The sum of two inputs of the same shape."""
    left, right = inputs
    output = Input("sum", left.dtype, left.shape, left.signature, left.scale)
    operator = ("ADD", schema.AddOptionsT(), [0, 1], [2])
    return _model([_tensor(i) for i in (left, right, output)], operator, [0, 1])


def relu(given: Input) -> bytes:
    """One operator that takes any shape."""
    output = Input("out", given.dtype, given.shape, given.signature, given.scale)
    return _model([_tensor(given), _tensor(output)], ("RELU", None, [0], [1]), [0])


def _tensor(given: Input, buffer: int = 0) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape = given.name, list(given.shape)
    tensor.type, tensor.buffer = getattr(schema.TensorType, given.dtype), buffer
    if given.signature:
        tensor.shapeSignature = list(given.signature)
    if given.scale:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [given.scale], [0]
    return tensor


def _model(
    tensors: list[Any],
    operator: tuple[str, Any, list[int], list[int]],
    inputs: list[int],
    values: np.ndarray | None = None,
) -> bytes:
    name, options, sources, targets = operator
    code, node, graph, model = (
        schema.OperatorCodeT(), schema.OperatorT(), schema.SubGraphT(), schema.ModelT()
    )  # fmt: skip
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
    node.opcodeIndex, node.inputs, node.outputs = 0, sources, targets
    if options is not None:
        kind = type(options).__name__.removesuffix("T")
        node.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        node.builtinOptions = options
    graph.tensors, graph.operators, graph.name = tensors, [node], "main"
    graph.inputs, graph.outputs = inputs, targets
    buffer = schema.BufferT()
    if values is not None:
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers = [schema.BufferT(), buffer]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
