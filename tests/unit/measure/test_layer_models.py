"""Single layers against what they should compute, by the interpreter of this computer."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from adadeep.core.layers import LayerKind
from adadeep.measure.layer_graphs import GRAPHS
from adadeep.measure.layer_models import (
    SingleLayer,
    conv,
    dense,
    depthwise,
    micro_benchmark,
    pool,
    tflite_of,
)


def run(model, x):
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.set_tensor(source["index"], x.astype(source["dtype"]))
    interpreter.invoke()
    weights = {d["name"]: d for d in interpreter.get_tensor_details()}
    return interpreter.get_tensor(target["index"]), weights, interpreter


def constants(interpreter, weights):
    return [interpreter.get_tensor(weights[name]["index"]) for name in ("kernel", "bias")]


def test_the_table_has_enough_layers_of_every_kind_and_no_key_twice():
    layers = micro_benchmark()
    assert len(layers) >= 60
    assert len({single.key for single in layers}) == len(layers)
    kinds = {single.layer.kind for single in layers}
    assert {LayerKind.CONV, LayerKind.DEPTHWISE, LayerKind.DENSE, LayerKind.POOL} == kinds
    assert {single.precision for single in layers} == set(GRAPHS)


def test_a_layer_gives_the_same_file_every_time():
    single = SingleLayer(dense(8, 4))
    assert tflite_of(single) == tflite_of(single)
    assert tflite_of(single) != tflite_of(SingleLayer(dense(8, 5)))
    assert tflite_of(single)[4:8] == b"TFL3"


@pytest.mark.parametrize("spec", [conv(7, 3, 5, 3), conv(8, 2, 3, 5, 2), depthwise(6, 4, 3)])
def test_a_float_convolution_computes_a_convolution(spec):
    x = np.random.default_rng(0).random((1, *spec.input_shape), "f4")
    got, weights, interpreter = run(tflite_of(SingleLayer(spec)), x)
    kernel, bias = constants(interpreter, weights)
    (kh, kw), stride, out = spec.kernel, spec.stride[0], spec.output_shape
    pads = [
        max((o - 1) * stride + k - i, 0)
        for o, k, i in zip(out, (kh, kw), spec.input_shape, strict=False)
    ]
    padded = np.pad(x[0], [(p // 2, p - p // 2) for p in pads] + [(0, 0)])
    want = np.zeros(out, "f4")
    for row in range(out[0]):
        for column in range(out[1]):
            patch = padded[row * stride :, column * stride :][:kh, :kw]
            if spec.kind is LayerKind.CONV:
                want[row, column] = np.einsum("hwc,fhwc->f", patch, kernel)
            else:
                want[row, column] = np.einsum("hwc,hwc->c", patch, kernel[0])
    np.testing.assert_allclose(got[0], np.maximum(want + bias, 0), rtol=1e-4, atol=1e-5)


def test_a_float_dense_layer_computes_a_product():
    x = np.random.default_rng(0).random((1, 12), "f4")
    got, weights, interpreter = run(tflite_of(SingleLayer(dense(12, 7))), x)
    kernel, bias = constants(interpreter, weights)
    np.testing.assert_allclose(got[0], np.maximum(kernel @ x[0] + bias, 0), rtol=1e-5)


def test_pooling_takes_the_largest():
    x = np.random.default_rng(0).random((1, 4, 4, 2), "f4")
    got, _, _ = run(tflite_of(SingleLayer(pool(4, 2, 2))), x)
    np.testing.assert_array_equal(got[0], x[0].reshape(2, 2, 2, 2, 2).max(axis=(1, 3)))


@pytest.mark.parametrize("spec", [conv(6, 3, 8, 3), depthwise(6, 8, 3), dense(32, 16)])
def test_an_int8_layer_computes_nearly_what_its_float_twin_does(spec):
    x = np.random.default_rng(0).random((1, *spec.input_shape), "f4") * 1.9
    want, _, _ = run(tflite_of(SingleLayer(spec)), x)
    steps = np.clip(np.round(x / (2 / 255)) - 128, -128, 127)
    raw, weights, _ = run(tflite_of(SingleLayer(spec, "int8")), steps)
    assert raw.dtype == np.int8
    got = (raw.astype("f4") + 128) * (8 / 255)
    assert np.abs(got - np.minimum(want, 8)).max() < 0.1
    assert want.max() > 0.5
    assert weights["kernel"]["dtype"] == np.int8


@pytest.mark.parametrize(("spec", "scales"), [(conv(6, 3, 8, 3), 8), (dense(32, 16), 1)])
def test_an_int8_layer_has_the_scales_that_a_converted_one_has(spec, scales):
    _, weights, _ = run(tflite_of(SingleLayer(spec, "int8")), np.zeros((1, *spec.input_shape)))
    for name in ("kernel", "bias"):
        found = weights[name]["quantization_parameters"]["scales"]
        assert len(set(found)) == scales  # the runtime repeats one for all
