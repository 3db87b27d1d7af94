"""A run's folder may come from anybody: it is read whole and sound, or refused in a sentence."""

import io
import json
import os
import random
import re
import zipfile

import numpy as np
import pytest

from adadeep.core.errors import AdaDeepError, FormatError
from adadeep.core.metric import ACCURACY_SCALE
from adadeep.core.rows import each
from adadeep.storage.archives import open_zip
from adadeep.storage.run_folder import RunFolder
from fakes.mutations import DEEP, VALUES, mutated, mutated_json, places, with_value, without
from fakes.run_folder import OTHER_FINGERPRINT, OTHER_KEY, write_run, write_run_of_0_1

INPUTS = np.linspace(0, 1, 24, dtype=np.float32).reshape(4, 3, 2, 1)
OTHER = f"best-{OTHER_KEY}.tflite"
FILES = ("plan.json", "samples.npz", "best.tflite", "initial.tflite", OTHER)
FIRST, SECOND, OF_0_1 = ("targets", 0), ("targets", 1), ()  # where plan.json has a winner


@pytest.fixture
def folder(tmp_path):
    """A run of two devices."""
    write_run(tmp_path / "run", b"best", b"initial", INPUTS, b"other")
    return tmp_path / "run"


@pytest.fixture
def old(tmp_path):
    """A run of version 0.1."""
    write_run_of_0_1(tmp_path / "old", b"best", b"initial", INPUTS)
    return tmp_path / "old"


@pytest.fixture
def of_a_version(request, folder, old):
    """`folder` or `old`, as `request.param` names it."""
    return {"folder": folder, "old": old}[request.param]


both_versions = pytest.mark.parametrize("of_a_version", ["folder", "old"], indirect=True)


def plan_of(folder):
    return json.loads((folder / "plan.json").read_text())


def read(folder):
    """All that a deployment reads, for every device."""
    run = RunFolder(folder)
    return run.plan, [run.best(target) for target in run.plan.targets], run.initial, run.inputs


def refused(folder):
    with pytest.raises(FormatError) as caught:
        read(folder)
    message = str(caught.value)
    assert caught.value.exit_code == 2
    assert len(message) < 700
    assert not re.search("[\x00-\x1f\x7f\u202e\ud800]", message)
    assert re.search("repeat the search|upgrade adadeep|Run `adadeep search`", message, re.I)
    return message


def outcome(folder):
    """Reads it; a folder that is taken names nothing outside ours and holds only sound numbers."""
    try:
        plan, _, _, inputs = read(folder)
    except AdaDeepError:
        refused(folder)
        return "refused"
    assert re.fullmatch(r"[\w-][\w.-]{0,79}", plan.task, re.ASCII)
    assert np.isfinite(inputs).all()
    assert 0 < len(inputs) <= 512
    assert plan.targets
    for target in plan.targets:
        assert re.fullmatch("best(-[0-9a-f]{8})?.tflite", target.file)
        assert re.fullmatch("[0-9a-f]{16}", target.best.key)
        for trial in (target.best, target.initial):
            assert 0 <= trial.accuracy <= 1
            for quantity in (trial.cost.latency_ms, trial.cost.energy_mj):
                assert quantity.value is None or 0 <= quantity.value < 1e19
    return "taken"


@both_versions
def test_a_finished_search_is_read_as_it_was_left(of_a_version):
    plan, bests, initial, inputs = read(of_a_version)
    assert (bests[0], initial) == (b"best", b"initial")
    assert (inputs == INPUTS).all()
    assert plan.task == "toy"
    first = plan.targets[0]
    assert first.best.plan.layers == {"fc1": {"technique": "W1f", "rank_divisor": 12}}
    assert first.best.cost.latency_ms.value == 0.5
    assert first.limits.max_latency_ms == 2.0
    assert first.device_title == "Another box"


def test_each_device_has_its_winner_and_one_of_no_search_gets_the_first(folder, old):
    run = RunFolder(folder)
    assert run.best(run.plan.target(OTHER_FINGERPRINT)) == b"other"
    assert run.best(run.plan.target("another")) == b"best"
    assert run.plan.target("of no search") == run.plan.targets[0]
    assert RunFolder(old).plan.target(OTHER_FINGERPRINT).key == ""


def test_verdicts_are_read_where_there_are_some(folder, old):
    assert RunFolder(folder).plan.targets[0].best.verdicts.accuracy_loss.estimate == 0.01
    assert RunFolder(old).plan.targets[0].best.verdicts is None


def test_a_search_that_has_not_ended_is_no_finished_one(folder):
    assert RunFolder(folder).is_finished
    (folder / "plan.json").unlink()
    assert not RunFolder(folder).is_finished
    assert "holds no finished search" in refused(folder)


WRONG = [
    (("best", "key"), '"../../../../xx"'),
    (("best", "key"), '"0123456789ABCDEF"'),
    (("best", "model_sha256"), '"../x"'),
    (("best", "plan", "precision"), '"int 3"'),
    (("best", "plan", "precision"), '"../int8"'),
    (("best", "plan", "precision"), "8"),
    (("best", "plan", "layers", "fc1"), '"W1f"'),
    (("best", "label"), '""'),
    (("best", "accuracy"), "3"),
    (("best", "accuracy"), "NaN"),
    (("best", "test_accuracy"), "-0.5"),
    (("best", "cost"), "null"),
    (("best", "cost", "latency_ms", "value"), "-5"),
    (("best", "cost", "latency_ms", "value"), "1e400"),
    (("best", "cost", "energy_mj", "provenance"), '"guessed"'),
    (("best", "cost", "storage_bytes"), "-Infinity"),
    (("initial", "cost", "macs"), "-1"),
    (("limits", "max_latency_ms"), "-1"),
    (("meets_demand",), '"yes"'),
    (("device_title",), DEEP),
]  # fmt: skip
WRONG_OF_RUN = [
    (("task",), '"../../../../tmp/x"'),
    (("task",), '".x"'),
    (("task",), '"a/b"'),
    (("task",), '"a\\n"'),
    (("task",), '""'),
    (("targets",), "[]"),
    (("targets",), "{}"),
    ((*FIRST, "file"), '"../../../../xx"'),
    ((*FIRST, "file"), '"initial.tflite"'),
    ((*FIRST, "file"), f'"{OTHER}"'),
    ((*SECOND, "file"), '"best-..tflite"'),
    ((*SECOND, "key"), '"../xx"'),
    ((*SECOND, "key"), '""'),
    ((*FIRST, "best", "verdicts", "latency_ms", "high"), "1e999"),
    ((*FIRST, "best", "verdicts", "latency_ms"), "null"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "text"),
    [*((where + path, text) for where in (FIRST, SECOND) for path, text in WRONG), *WRONG_OF_RUN],
)
def test_a_wrong_value_is_refused_and_names_the_file(folder, path, text):
    (folder / "plan.json").write_bytes(with_value(plan_of(folder), path, text))
    assert "plan.json" in refused(folder)


@pytest.mark.parametrize(("path", "text"), [*WRONG, *WRONG_OF_RUN[:5]])
def test_a_wrong_value_in_a_run_of_0_1_is_refused_and_names_the_file(old, path, text):
    (old / "plan.json").write_bytes(with_value(plan_of(old), path, text))
    assert "plan.json" in refused(old)


def test_a_plan_in_a_precision_that_is_not_installed_here_is_read(folder):
    path = (*FIRST, "best", "plan", "precision")
    (folder / "plan.json").write_bytes(with_value(plan_of(folder), path, '"their.int4-x"'))
    assert RunFolder(folder).plan.targets[0].best.plan.precision == "their.int4-x"


NEEDED = [("best",), ("best", "label"), ("best", "key"), ("initial", "cost"),
          ("best", "plan", "precision"), ("limits",)]  # fmt: skip


ERROR = {"name": "their.error", "title": "error", "higher_is_better": False, "low": 0,
         "high": 255, "is_binary": False}  # fmt: skip


def in_error(folder, **changes):
    plan = plan_of(folder)
    for target in plan["targets"]:
        target["metric"] = {**ERROR, **changes}
        target["best"]["accuracy"], target["limits"]["min_accuracy"] = 31.5, 36.6
    (folder / "plan.json").write_text(json.dumps(plan))


def test_a_plan_by_a_metric_that_is_not_installed_here_is_read(folder, old):
    for run in (folder, old):  # as all were before there was another
        assert RunFolder(run).plan.targets[0].metric == ACCURACY_SCALE
    in_error(folder)
    for target in RunFolder(folder).plan.targets:
        assert (target.metric.name, target.best.accuracy) == ("their.error", 31.5)
        assert target.metric.loss(target.initial.accuracy, target.best.accuracy) > 0


@pytest.mark.parametrize(
    "changes",
    [{"high": 30}, {"low": 1}, {"high": -1}, {"name": "../x"}, {"title": ""}, {"low": None}],
    ids=str,
)
def test_a_plan_whose_metric_can_not_be_is_refused(folder, changes):
    in_error(folder, **changes)
    assert "plan.json" in refused(folder)


@pytest.mark.parametrize(
    "path",
    [("task",), ("schema_version",), ("targets",), (*SECOND, "device_fingerprint"),
     *((*where, *path) for where in (FIRST, SECOND) for path in NEEDED)],
    ids=str,
)  # fmt: skip
def test_a_missing_key_is_refused(folder, path):
    (folder / "plan.json").write_bytes(without(plan_of(folder), path))
    refused(folder)


@pytest.mark.parametrize("path", [("task",), ("schema_version",), *NEEDED], ids=".".join)
def test_a_missing_key_in_a_run_of_0_1_is_refused(old, path):
    (old / "plan.json").write_bytes(without(plan_of(old), path))
    refused(old)


@pytest.mark.parametrize("text", ["", "[]", "null", "7", DEEP, "\udcff", '{"schema_version": 99}'])
def test_something_else_in_place_of_the_plan_is_refused(folder, text):
    (folder / "plan.json").write_bytes(text.encode(errors="surrogateescape"))
    assert ("upgrade" in refused(folder)) == ("99" in text)


def npz(**members):
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=True, **members)
    return file.getvalue()


def archive(name, data, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as packed:
        packed.writestr(name, data)
    return file.getvalue()


def npy_header(shape, dtype="<f4"):
    file = io.BytesIO()
    head = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, head)
    return file.getvalue()


BOMB = archive("inputs.npy", npy_header((400, 250_000)) + bytes(400_000_000))
SAMPLES = {
    "none at all": npz(labels=np.arange(3)),
    "an empty array": npz(inputs=np.zeros((0, 3), np.float32)),
    "an empty sample": npz(inputs=np.zeros((3, 0), np.float32)),
    "one dimension": npz(inputs=np.zeros(3, np.float32)),
    "too many": npz(inputs=np.zeros((513, 1), np.float32)),
    "not finite": npz(inputs=np.full((3, 2), np.nan, np.float32)),
    "too large for float32": npz(inputs=np.full((3, 2), 1e300)),
    "words": npz(inputs=np.array([["a", "b"]])),
    "pickled objects": npz(inputs=np.array([[print, {}]], dtype=object)),
    "complex numbers": npz(inputs=np.zeros((2, 2), np.complex64)),
    "a shape without its data": archive("inputs.npy", npy_header((500, 10**12))),
    "a negative shape": archive("inputs.npy", npy_header((-1, 2))),
    "a type that is none": archive("inputs.npy", npy_header((1, 2), "zz")),
    "cut samples": archive("inputs.npy", npy_header((2, 2)) + bytes(15)),
    "a zip bomb": BOMB,
    "no archive": b"junk",
    "nothing": b"",
}


@pytest.mark.parametrize("data", SAMPLES.values(), ids=SAMPLES)
def test_samples_that_can_not_be_used_are_refused(folder, data):
    (folder / "samples.npz").write_bytes(data)
    assert "samples.npz" in refused(folder)


def test_a_bomb_is_refused_before_it_is_unpacked(folder):
    (folder / "samples.npz").write_bytes(BOMB)
    assert len(BOMB) < 1_000_000
    with pytest.raises(ValueError, match="unpacks to more than 64 MB"):
        open_zip(folder / "samples.npz")


@pytest.mark.parametrize("name", FILES)
class TestEveryFile:
    def test_is_needed(self, folder, name):
        (folder / name).unlink()
        assert name in refused(folder)

    def test_must_be_a_file(self, folder, name):
        (folder / name).unlink()
        (folder / name).mkdir()
        assert name in refused(folder)

    def test_must_not_be_a_pipe_that_nobody_writes_to(self, folder, name):
        (folder / name).unlink()
        os.mkfifo(folder / name)
        assert name in refused(folder)

    def test_survives_any_damage(self, folder, name):
        rng = random.Random(name)
        data = (folder / name).read_bytes()
        seen = set()
        for _ in range(60):
            (folder / name).write_bytes(mutated(data, rng))
            seen.add(outcome(folder))
        assert "refused" in seen


@both_versions
def test_any_value_anywhere_in_the_plan_is_taken_whole_or_refused(of_a_version):
    folder = of_a_version
    plan = plan_of(folder)
    results = []
    rng = random.Random(0)
    texts = [text for text in VALUES if text != DEEP]
    for path in places(plan):
        for text in rng.sample(texts, len(texts) // 4):  # there are many places
            (folder / "plan.json").write_bytes(with_value(plan, path, text))
            results.append(outcome(folder))
    for _ in range(200):
        (folder / "plan.json").write_bytes(mutated_json(plan, rng))
        results.append(outcome(folder))
    assert {"taken", "refused"} <= set(results)


def test_samples_of_several_inputs_are_read_in_order(folder):
    more = {
        "inputs": INPUTS,
        "inputs_3": INPUTS[:, :1],
        "inputs_2": INPUTS[:, 0],
        "labels": INPUTS,
    }
    np.savez(folder / "samples.npz", **more)
    found = each(RunFolder(folder).inputs)
    assert [array.shape for array in found] == [(4, 3, 2, 1), (4, 2, 1), (4, 1, 2, 1)]
    np.savez(folder / "samples.npz", inputs=INPUTS, inputs_2=INPUTS[:3])
    assert "do not belong together" in refused(folder)
    np.savez(folder / "samples.npz", inputs=INPUTS, inputs_2=INPUTS * np.nan)
    assert "not finite" in refused(folder)
