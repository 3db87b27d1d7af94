"""Sessions with the real runtime: what it is told, and what it refuses."""

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adadeep.devices.agent_messages import AgentSession, decode_reply
from adadeep.measure.layer_graphs import GRAPHS
from adadeep.measure.layer_models import SingleLayer, conv, dense, tflite_of
from adadeep_agent import runner, wire
from adadeep_agent.wire import ErrorCode, WireError
from fakes.agent_sessions import QUICK

MODEL = tflite_of(SingleLayer(dense(64, 64)))
OTHER = tflite_of(SingleLayer(dense(64, 48)))
READ = ["/proc/loadavg"]
BLOCK = ["/proc/thread-self/schedstat", "/proc/self/status#VmRSS", "/sys/none/cpu{core}/x"]


def test_what_is_told_is_what_a_host_takes(asks):
    patient = replace(QUICK, max_ms=10_000)
    told = asks(MODEL, OTHER, plan=patient, read=READ, read_block=BLOCK)
    who = {"name": "a", "version": "0", "runtime": "r", "runtime_version": "1"}
    result = {"type": "result", "id": 1, "job": "j", "agent": who, **told.result}
    parts = [decode_reply(wire.encode({"type": "part", "id": 1, **p}), "it") for p in told.parts]
    placed = [part.placements(BLOCK) for part in parts]
    read = AgentSession.of(decode_reply(wire.encode(result), "it"), placed)
    assert [len(placements) for placements in read.placements] == [2, 2]
    assert [m.model_bytes for m in read.models] == [len(MODEL), len(OTHER)]
    assert [[d.nodes for d in m.delegates] for m in read.models] == [[1], [1]]
    assert set(read.result.before.texts) == set(read.result.after.texts) == set(READ)
    blocks = [block for model in read.placements for p in model for block in p.blocks]
    has_schedstat = Path("/proc/thread-self/schedstat").exists()
    assert all((block.delay_ns is not None) is has_schedstat for block in blocks)
    assert all(block.khz is None for block in blocks)


def test_texts_around_a_block_are_those_of_its_files(asks):
    blocks = asks(MODEL, read_block=BLOCK).blocks()
    for before, after in (block["texts"] for block in blocks):
        for text in (before[1], after[1]):
            assert text.startswith("VmRSS:")
            assert "\n" not in text
        assert (before[2], after[2]) == (None, None)


def test_no_file_stays_open(asks):
    before = list(Path("/proc/self/fd").iterdir())
    asks(MODEL, read_block=BLOCK)
    assert len(list(Path("/proc/self/fd").iterdir())) == len(before)


def test_times_are_those_of_the_clock(asks):
    began = time.perf_counter_ns()
    told = asks(MODEL, OTHER, plan=replace(QUICK, placements=1, placement_ms=20, block_ms=5))
    ended = time.perf_counter_ns()
    blocks = sorted(told.blocks(0) + told.blocks(1), key=lambda b: b["start_ns"])
    edges = [began]
    for block in blocks:
        # Where a run was sized in a bad moment, the most timings end a block sooner.
        is_full = len(block["times_ns"]) == 4 * QUICK.block_timings
        assert sum(block["times_ns"]) >= 5_000_000 or is_full
        edges += [block["start_ns"], block["start_ns"] + sum(block["times_ns"])]
    assert edges == sorted(edges)
    assert edges[-1] <= ended


def test_outputs_are_those_of_the_given_inputs(asks, tmp_path, runtime):
    samples = [np.full((1, 64), value, "f4") for value in (0.1, 0.9)]
    inputs = [[wire.encode_tensor("float32", x.shape, x.tobytes())] for x in samples]
    [model] = asks(MODEL, samples=inputs).result["models"]
    outputs = [np.frombuffer(wire.decode_tensor(s[0])[2], "f4") for s in model["outputs"]]
    direct = runner.Model(runtime, str(tmp_path / "0.tflite"), 1)
    for given, got in zip(inputs, outputs, strict=True):
        direct.set_inputs(given)
        direct.invoke()
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
def test_inputs_of_the_wrong_shape_or_type_are_refused(asks, tensor):
    with pytest.raises(WireError) as caught:
        asks(MODEL, samples=[[tensor]])
    assert (caught.value.code, caught.value.model) == (ErrorCode.BAD_INPUT, "m0")


@pytest.mark.parametrize("content", [b"", b"junk" * 100, MODEL[:900]])
def test_a_corrupt_model_is_named_so_and_which_it_is(asks, content):
    with pytest.raises(WireError) as caught:
        asks(MODEL, content)
    assert (caught.value.code, caught.value.model) == (ErrorCode.MODEL_CORRUPT, "m1")


def test_an_operator_that_the_runtime_lacks_is_named_so(asks):
    model = tflite_of(SingleLayer(conv(4, 2, 2, 3)))
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    edited = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model))
    edited.operatorCodes[0].version = 99
    builder = flatbuffers.Builder()
    builder.Finish(edited.Pack(builder), b"TFL3")
    with pytest.raises(WireError) as caught:
        asks(bytes(builder.Output()))
    assert caught.value.code == ErrorCode.UNSUPPORTED_OP
    assert "CONV_2D" in str(caught.value)


def test_a_missing_model_is_named_so(asks, tmp_path):
    request = asks.request([MODEL, OTHER])
    (tmp_path / "1.tflite").unlink()
    with pytest.raises(WireError) as caught:
        asks.asked(request)
    assert (caught.value.code, caught.value.model) == (ErrorCode.MODEL_MISSING, "m1")


def test_sixteen_models_are_measured_in_turn(asks):
    models = [tflite_of(SingleLayer(dense(8, 8 + n))) for n in range(16)]
    plan = replace(QUICK, placements=2, placement_ms=0, block_ms=0.1, max_ms=60_000)
    told = asks(*models, plan=plan)
    for part in told.parts:
        assert len(part["models"]) == 16
        assert len({tuple(b["round"] for b in m["blocks"]) for m in part["models"]}) == 1
    assert [m["name"] for m in told.result["models"]] == [f"m{n}" for n in range(16)]


def test_cold_runs_are_made_with_a_buffer(asks):
    plan = replace(QUICK, placements=1, cold_runs=2, cold_bytes=1 << 20)
    assert [len(m["cold_ns"]) for m in asks(MODEL, OTHER, plan=plan).parts[0]["models"]] == [2, 2]


def test_a_core_mask_pins_while_measuring_and_is_taken_back(asks):
    before = os.sched_getaffinity(0)
    core = min(before)
    seen = []
    told = asks(
        MODEL,
        settings={"core_mask": f"{1 << core:x}"},
        check=lambda: seen.append(os.sched_getaffinity(0)),
    )
    assert set(map(frozenset, seen)) == {frozenset({core})}
    assert {block["core"] for block in told.blocks()} <= {core, None}
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize("mask", ["0", "xyz", "", "-1", "f" * 300])
def test_a_core_mask_that_can_not_be_is_refused(asks, mask):
    with pytest.raises(WireError) as caught:
        asks(MODEL, settings={"core_mask": mask})
    assert caught.value.code == ErrorCode.BAD_CORE_MASK


@pytest.mark.parametrize("precision", list(GRAPHS))
def test_models_of_either_precision_get_inputs_of_their_own_type(asks, precision):
    told = asks(tflite_of(SingleLayer(conv(6, 3, 4, 3), precision)))
    assert told.parts[0]["models"][0]["first_ns"] > 0


def test_the_wrapper_of_the_runtime_is_gone_round_where_it_can_be(runtime, tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(MODEL)
    model = runner.Model(runtime, str(path), 1)
    assert model.invoke.__name__ == "Invoke"
    with runner.running(model) as invoke:
        invoke()
    del invoke
    model.set_inputs(None)  # what the wrapper refuses while the way round is kept
    model._interpreter.allocate_tensors()
    del model._interpreter
    model._interpreter = type("Plain", (), {"invoke": lambda self: 7})()
    assert model.invoke() == 7
