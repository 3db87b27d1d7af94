"""Damaged models in the runtime itself: the model's fault, whatever the runtime does of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import AgentError
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.devices.adb.transport import AdbTransport
from adadeep.devices.local import LocalTransport
from adadeep.measure.layer_models import SingleLayer, conv, dense, pool, tflite_of
from adadeep.measure.meter import DeviceMeter
from adadeep.measure.session import open_meter
from fakes.mutations import SEED, mutated, with_words
from fakes.processes import measured
from fakes.sandbox import Sandbox, assert_clear_failure, assert_harmless, hurried
from fakes.tflite_models import Input, embedding, endless, gather, relu, rewritten

MUTANTS = 40
QUICK = MeasuringPlan(
    placements=1, least_placements=1, placement_ms=0.0, block_ms=1.0, drop_runs=0, drop_ms=0.0,
    warmup_ms=0.0, max_ms=5.0,
)  # fmt: skip
SMALL = (
    tflite_of(SingleLayer(conv(4, 2, 3, 3))),
    tflite_of(SingleLayer(conv(4, 2, 3, 3), "int8")),
    tflite_of(SingleLayer(dense(8, 4))),
    tflite_of(SingleLayer(pool(4, 2, 2))),
    *(gather(), embedding(), relu(Input("x", "FLOAT32", (1, 4)))),
)


def _no_graph(model: Any) -> None:
    model.subgraphs = None


def _no_columns(model: Any) -> None:
    model.subgraphs[0].tensors[1].shape = [10, 0]


def _no_window(model: Any) -> None:
    model.subgraphs[0].operators[0].builtinOptions.filterHeight = -(2**31)


# Seeds found them: LiteRT 2.3 ends with a segmentation fault on each.
DEADLY = {
    "no graph": rewritten(SMALL[-1], _no_graph),
    "a table without columns": rewritten(embedding(), _no_columns),
    "a window without an end": rewritten(SMALL[3], _no_window),
}
NO_TEXT = SMALL[2].replace(b"kernel", b"\xff\xfernel")  # of a name that is read only at the end


def processes(folder: Path) -> list[str]:
    """Command lines of processes that name a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


def assert_tidy(folder: Path) -> None:
    """No agent and no model of the agent's folder is left."""
    assert processes(folder) == []
    assert list((folder / "models").iterdir()) == []


@pytest.fixture
def agent_folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "agent"
    yield folder
    assert_tidy(folder)


@pytest.fixture
def meter(agent_folder: Path) -> Iterator[DeviceMeter]:
    with open_meter(LocalTransport(agent_folder), Deadline.after(60)) as opened:
        yield opened


def refusal(meter: DeviceMeter, model: bytes) -> AgentError | None:
    """Measures a model, bounded in time; the error, which must blame it, or None."""
    refused: AgentError | None = None
    try:
        with hurried():
            assert meter.measure([model], QUICK).measurements[0].latency_ms > 0
    except AgentError as error:
        refused = error
    if refused is not None:
        assert refused.exit_code == 2 or refused.code == "out_of_memory", repr(refused)
        assert len(str(refused)) < 700
        assert str(refused).isprintable()
    return refused


def test_damaged_models_are_measured_or_blamed(meter: DeviceMeter):
    print(f"HOSTILE_SEED={SEED}")
    found = []
    for number in range(MUTANTS):
        rng = random.Random(f"{SEED}-model-{number}")
        damage = (mutated, with_words)[number % 2]
        found.append(refusal(meter, damage(rng.choice(SMALL), rng)))
    assert sum(error is not None for error in found) >= MUTANTS / 4
    assert refusal(meter, SMALL[0]) is None


@pytest.mark.agent_life
@pytest.mark.parametrize("model", DEADLY.values(), ids=DEADLY)
def test_a_model_that_kills_the_runtime_is_blamed_and_others_are_measured(
    meter: DeviceMeter, model: bytes
):
    error = refusal(meter, model)
    assert error is not None
    assert error.code in {"runtime_crashed", "model_corrupt", "run_failed"}  # it may be mended
    assert refusal(meter, SMALL[0]) is None


def test_names_that_are_no_text_are_not_the_agents_fault(meter: DeviceMeter):
    error = refusal(meter, NO_TEXT)
    assert error is not None
    assert error.code == "model_corrupt"


@pytest.mark.agent_life
def test_a_model_without_an_end_is_ended_with_its_agent(
    meter: DeviceMeter, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(DeviceMeter, "_limit_s", lambda *_: 3.0)
    error = refusal(meter, endless())
    assert error is not None
    assert "far longer" in str(error)
    monkeypatch.undo()
    assert refusal(meter, SMALL[0]) is None


@pytest.mark.lab
def test_so_it_is_on_a_device_behind_adb(lab_box: Any):
    with open_meter(AdbTransport(lab_box.serial), Deadline.after(60)) as meter:
        error = refusal(meter, DEADLY["no graph"])
        assert error is not None
        assert error.code in {"runtime_crashed", "model_corrupt"}
        assert refusal(meter, SMALL[0]) is None


FILES = {
    "a mutant": with_words(SMALL[1], random.Random(f"{SEED}-file")),
    "no text": NO_TEXT,
    "a table without columns": DEADLY["a table without columns"],
}


@pytest.mark.parametrize("model", FILES.values(), ids=FILES)
def test_the_command_ends_with_one_sentence(sandbox: Sandbox, model: bytes):
    sandbox.file("bad.tflite", model)
    before = sandbox.snapshot()
    words = "measure bad.tflite -d local --max-seconds 0.02 --launches 1"
    done = measured(sandbox, words.split())
    assert_harmless(done)
    if done.code or model in (NO_TEXT, *DEADLY.values()):
        assert_clear_failure(done, {2})
    assert sandbox.snapshot() == before
    assert_tidy(sandbox.cache / "adadeep" / "agent")
