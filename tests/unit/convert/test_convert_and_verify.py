"""Conversion: batch of 1, sparse, int8, the log, errors; and running the result."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adadeep.convert.precisions.float32 import FLOAT32
from adadeep.convert.precisions.int8 import INT8
from adadeep.convert.verify import max_difference, run_tflite
from adadeep.core.errors import ConversionError
from adadeep.storage.native_log import native_log

pytestmark = pytest.mark.tf


def samples(count: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(size=(count, 8, 8, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def network() -> Any:
    from adadeep.training.networks.lenet import LENET

    return LENET.build((8, 8, 1), 10, seed=0)


@pytest.fixture(scope="module")
def float_model(network: Any) -> bytes:
    from adadeep.convert.tflite import convert

    return convert(network, FLOAT32, None, sparse=False)


@pytest.fixture(scope="module")
def int8_model(network: Any) -> bytes:
    from adadeep.convert.tflite import convert

    return convert(network, INT8, samples(20), sparse=True)


def tensors(model: bytes) -> list[dict[str, Any]]:
    from ai_edge_litert.interpreter import Interpreter

    return list(Interpreter(model_content=model).get_tensor_details())


def test_float32_computes_what_keras_does(network: Any, float_model: bytes) -> None:
    x = samples(10)
    assert max_difference(run_tflite(float_model, x), np.asarray(network(x))) < 1e-5


def test_int8_convolutions_have_a_scale_a_channel_and_dense_layers_one(int8_model: bytes) -> None:
    """What more than one runtime has fast kernels for."""
    from ai_edge_litert import schema_py_generated as schema

    [graph] = schema.ModelT.InitFromPackedBuf(int8_model).subgraphs
    int8 = [t for t in graph.tensors if t.type == schema.TensorType.INT8 and t.shape[0] > 1]
    scales = [(len(t.shape), len(t.quantization.scale) == t.shape[0]) for t in int8]
    assert sorted(scales) == [(2, False), (2, False), (4, True), (4, True)]
    assert {len(t.quantization.scale) for t in int8 if len(t.shape) == 2} == {1}


def test_no_tensor_has_a_free_size(float_model: bytes, int8_model: bytes) -> None:
    for model in (float_model, int8_model):
        assert all(-1 not in tensor["shape_signature"] for tensor in tensors(model))


def test_int8_is_near_and_a_quarter_of_the_size(
    network: Any, float_model: bytes, int8_model: bytes
) -> None:
    x = samples(10)
    outputs = run_tflite(int8_model, x)
    assert outputs.dtype == np.float32
    assert max_difference(outputs, np.asarray(network(x))) < 0.05
    assert len(int8_model) < 0.3 * len(float_model)


def test_int8_has_float_ends_and_int8_kernels(int8_model: bytes) -> None:
    kinds = [tensor["dtype"] for tensor in tensors(int8_model)]
    assert kinds.count(np.float32) == 2
    assert kinds.count(np.int8) > 4


def test_sparse_storage_is_smaller_and_computes_the_same(network: Any, float_model: bytes) -> None:
    from adadeep.compress.apply import apply_plan
    from adadeep.convert.tflite import convert
    from adadeep.core.plan import CompressionPlan, LayerChoice

    blocks = LayerChoice("W3", (("layout", "block"), ("sparsity", 0.9)))
    pruned = apply_plan(network, CompressionPlan((("fc1", blocks),))).network
    sparse = convert(pruned, FLOAT32, None, sparse=True)
    dense = convert(pruned, FLOAT32, None, sparse=False)
    x = samples(10)
    assert max_difference(run_tflite(sparse, x), run_tflite(dense, x)) < 1e-5
    assert len(sparse) < 0.5 * len(dense)
    # XNNPACK refuses sparse int8 kernels, so what was pruned is quantised dense.
    quantised = convert(pruned, INT8, x, sparse=True)
    assert max_difference(run_tflite(quantised, x), run_tflite(dense, x)) < 0.05


def test_int8_without_samples_is_refused(network: Any) -> None:
    from adadeep.convert.tflite import convert

    for nothing in (None, samples(0)):
        with pytest.raises(ConversionError, match="samples"):
            convert(network, INT8, nothing, sparse=False)


def test_what_the_converter_cannot_take_is_one_error_with_its_reason() -> None:
    import keras
    import tensorflow as tf

    from adadeep.convert.tflite import convert

    class Odd(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return tf.raw_ops.Betainc(a=x + 1, b=x + 1, x=x)

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    inputs = keras.Input((4,))
    model = keras.Model(inputs, Odd()(inputs), name="odd")
    with pytest.raises(ConversionError, match=r"'odd' can't be converted.*[Bb]etainc") as caught:
        convert(model, FLOAT32, None, sparse=False)
    assert "\n" not in str(caught.value)


def test_what_conversion_prints_goes_to_the_log_of_the_run(
    network: Any, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from adadeep.convert.tflite import convert

    with native_log(tmp_path):
        convert(network, INT8, samples(5), sparse=False)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("content", [b"", b"no model", b"\x1c\x00\x00\x00TFL3" + bytes(40)])
def test_a_corrupt_model_is_one_error(content: bytes) -> None:
    with pytest.raises(ConversionError, match="does not take the model"):
        run_tflite(content, samples(1))


def test_samples_of_another_shape_are_refused(float_model: bytes) -> None:
    with pytest.raises(ConversionError, match="shape"):
        run_tflite(float_model, np.zeros((1, 9, 9, 1), np.float32))


def test_the_largest_difference_is_that_of_the_worst_element() -> None:
    a = np.array([[0.9, 0.1], [0.4, 0.6]], np.float32)
    b = np.array([[0.7, 0.3], [0.6, 0.4]], np.float32)
    assert max_difference(a, b) == pytest.approx(0.2)


def test_running_a_model_needs_no_tensorflow() -> None:
    code = (
        "import sys; import adadeep.convert.verify, ai_edge_litert.interpreter;"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
