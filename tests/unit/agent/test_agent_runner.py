import os
from pathlib import Path

import numpy as np
import pytest

from adadeep.devices.agent_messages import decode_reply
from adadeep.measure.layer_graphs import GRAPHS
from adadeep.measure.layer_models import SingleLayer, conv, dense, tflite_of
from adadeep_agent import runner, wire
from adadeep_agent.wire import ErrorCode, WireError

SETTINGS = {
    "threads": 1, "core_mask": None, "launches": 2, "warmup_min_runs": 2, "warmup_min_ms": 0.0,
    "min_runs": 10, "max_runs": 60, "min_ms": 0.0, "max_ms": 200.0, "ci_relative": 0.5,
}  # fmt: skip


@pytest.fixture(scope="module")
def runtime():
    return runner.Runtime.find()


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "dense.tflite"
    path.write_bytes(tflite_of(SingleLayer(dense(64, 64))))
    return str(path)


READ = ["/proc/loadavg"]


def measure(runtime, path, check=lambda: None, inputs=(), **settings):
    model = {"job": "j", "path": path, **({"inputs": inputs} if inputs else {})}
    return runner.measure(
        runtime, model, {"settings": {**SETTINGS, **settings}, "read": READ}, check
    )


def test_a_result_holds_every_sample_of_every_launch(runtime, model):
    result = measure(runtime, model)
    assert len(result["launches"]) == 2
    runs = [launch["runs_ns"] for launch in result["launches"]]
    assert 10 <= sum(map(len, runs)) <= 60
    assert min(map(min, runs)) > 0
    assert all(len(launch["warmup_ns"]) >= 2 for launch in result["launches"])
    assert result["delegates"] == [{"name": "XNNPACK", "nodes": 1}]
    who = {"name": "a", "version": "0", "runtime": "r", "runtime_version": "1"}
    line = wire.encode({"type": "results", "id": 1, "results": [{"agent": who, **result}]})
    [read] = decode_reply(line, "the agent").results
    assert read.model_bytes == Path(model).stat().st_size
    assert set(read.before.texts) == set(read.after.texts) == set(READ)


def test_runs_end_at_the_highest_number_even_if_the_interval_never_narrows(runtime, model):
    settings = {"ci_relative": 0.0, "max_runs": 40, "max_ms": 60000.0}
    result = measure(runtime, model, **settings)
    assert sum(len(launch["runs_ns"]) for launch in result["launches"]) <= 45


def test_outputs_are_those_of_the_given_inputs(runtime, model):
    samples = [np.full((1, 64), value, "f4") for value in (0.1, 0.9)]
    inputs = [[wire.encode_tensor("float32", x.shape, x.tobytes())] for x in samples]
    result = measure(runtime, model, inputs=inputs)
    outputs = [np.frombuffer(wire.decode_tensor(s[0])[2], "f4") for s in result["outputs"]]
    direct = runner.Model(runtime, model, 1)
    for given, got in zip(inputs, outputs, strict=True):
        direct.set_inputs(given)
        direct.invoke_ns()
        assert (
            direct.outputs()[0]["data"]
            == wire.encode_tensor("float32", [1, 64], got.tobytes())["data"]
        )
    assert not np.array_equal(*outputs)


@pytest.mark.parametrize(
    "tensor",
    [
        wire.encode_tensor("float32", [1, 63], bytes(4 * 63)),
        wire.encode_tensor("int8", [1, 64], bytes(64)),
        {"dtype": "float32"},
    ],
)
def test_inputs_of_the_wrong_shape_or_type_are_refused(runtime, model, tensor):
    with pytest.raises(WireError) as caught:
        measure(runtime, model, inputs=[[tensor]])
    assert caught.value.code == ErrorCode.BAD_INPUT


@pytest.mark.parametrize(
    "content", [b"", b"junk" * 100, tflite_of(SingleLayer(dense(64, 64)))[:900]]
)
def test_a_corrupt_model_is_named_so(runtime, tmp_path, content):
    path = tmp_path / "corrupt.tflite"
    path.write_bytes(content)
    with pytest.raises(WireError) as caught:
        measure(runtime, str(path))
    assert caught.value.code == ErrorCode.MODEL_CORRUPT


def test_an_operator_that_the_runtime_lacks_is_named_so(runtime, tmp_path):
    model = tflite_of(SingleLayer(conv(4, 2, 2, 3)))
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    edited = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model))
    edited.operatorCodes[0].version = 99
    builder = flatbuffers.Builder()
    builder.Finish(edited.Pack(builder), b"TFL3")
    path = tmp_path / "future.tflite"
    path.write_bytes(bytes(builder.Output()))
    with pytest.raises(WireError) as caught:
        measure(runtime, str(path))
    assert caught.value.code == ErrorCode.UNSUPPORTED_OP
    assert "CONV_2D" in str(caught.value)


def test_a_missing_model_is_named_so(runtime, tmp_path):
    with pytest.raises(WireError) as caught:
        measure(runtime, str(tmp_path / "none.tflite"))
    assert caught.value.code == ErrorCode.MODEL_MISSING


def test_a_cancelled_job_stops_between_runs(runtime, model):
    calls = []

    def check():
        calls.append(1)
        if len(calls) == 5:
            raise runner.Cancelled

    with pytest.raises(runner.Cancelled):
        measure(runtime, model, check)
    assert len(calls) == 5


def test_a_core_mask_pins_while_measuring_and_is_taken_back(runtime, model):
    before = os.sched_getaffinity(0)
    core = min(before)
    seen = []
    settings = {"core_mask": f"{1 << core:x}"}
    measure(runtime, model, lambda: seen.append(os.sched_getaffinity(0)), **settings)
    assert set(map(frozenset, seen)) == {frozenset({core})}
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize("mask", ["0", "xyz", "", "-1", "f" * 300])
def test_a_core_mask_that_can_not_be_is_refused(runtime, model, mask):
    with pytest.raises(WireError) as caught:
        measure(runtime, model, core_mask=mask)
    assert caught.value.code == ErrorCode.BAD_CORE_MASK


@pytest.mark.parametrize("precision", list(GRAPHS))
def test_models_of_either_precision_get_inputs_of_their_own_type(runtime, tmp_path, precision):
    path = tmp_path / "conv.tflite"
    path.write_bytes(tflite_of(SingleLayer(conv(6, 3, 4, 3), precision)))
    result = measure(runtime, str(path))
    assert result["launches"][0]["first_ns"] > 0


def test_of_many_warm_up_runs_only_the_first_are_reported():
    class Quick:
        runs = 0

        def invoke_ns(self):
            self.runs += 1
            return 1000

    model = Quick()
    settings = {**SETTINGS, "warmup_min_ms": 2.5}
    times = runner._warm_up(model, settings, lambda: None)
    assert (model.runs, len(times)) == (2500, 1000)
