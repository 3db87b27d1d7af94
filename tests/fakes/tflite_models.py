"""Small .tflite files that the layers of a profile have not: indices, open sizes, text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def rewritten(model: bytes, change: Callable[[Any], object]) -> bytes:
    """The model after a change to its parts, a `ModelT`."""
    parts = schema.ModelT.InitFromPackedBuf(model)
    change(parts)
    return _packed(parts)


def endless() -> bytes:
    """A loop whose condition always holds: x <= x."""
    model = schema.ModelT.InitFromPackedBuf(relu(Input("x", "FLOAT32", (1,))))
    options = schema.WhileOptionsT()
    options.condSubgraphIndex, options.bodySubgraphIndex = 1, 2
    model.operatorCodes = [_code(name) for name in ("WHILE", "LESS_EQUAL", "RELU")]
    [loop] = model.subgraphs[0].operators
    loop.builtinOptionsType, loop.builtinOptions = schema.BuiltinOptions.WhileOptions, options
    given, same = Input("x", "FLOAT32", (1,)), Input("y", "FLOAT32", (1,))
    model.subgraphs += [
        _graph([_tensor(given), _tensor(Input("holds", "BOOL", (1,)))], _node(1, [0, 0], [1])),
        _graph([_tensor(given), _tensor(same)], _node(2, [0], [1])),
    ]
    return _packed(model)


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
    node, model = _node(0, sources, targets), schema.ModelT()
    if options is not None:
        kind = type(options).__name__.removesuffix("T")
        node.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        node.builtinOptions = options
    buffer = schema.BufferT()
    if values is not None:
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.version, model.operatorCodes = 3, [_code(name)]
    model.subgraphs, model.buffers = [_graph(tensors, node, inputs)], [schema.BufferT(), buffer]
    return _packed(model)


def _code(name: str) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
    return code


def _node(code: int, sources: list[int], targets: list[int]) -> Any:
    node = schema.OperatorT()
    node.opcodeIndex, node.inputs, node.outputs = code, sources, targets
    return node


def _graph(tensors: list[Any], node: Any, inputs: Sequence[int] = (0,)) -> Any:
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, graph.name = tensors, [node], "main"
    graph.inputs, graph.outputs = list(inputs), node.outputs
    return graph


def _packed(model: Any) -> bytes:
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
