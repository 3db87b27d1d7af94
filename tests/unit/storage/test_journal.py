import contextlib
import functools
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from dataclasses import asdict, replace

import msgspec
import numpy as np
import pytest

from adadeep.core.cost_source import UnitLatency
from adadeep.core.demand import UserDemand
from adadeep.core.device import Battery, CpuCluster, DeviceFacts
from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.layers import NETWORK_INPUT, LayerKind, LayerSpec, ModelSpec
from adadeep.core.measurement import (
    Agent,
    Block,
    Conditions,
    Delegate,
    Measurement,
    MeasureSettings,
    Memory,
    Placement,
)
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.noise import PRIOR
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.scores import SampleScores
from adadeep.core.session import Ended, MeasuredTogether
from adadeep.core.target import Target
from adadeep.storage.journal import JOURNAL, Journal, differences, read_journal
from adadeep.storage.records import (
    KIND_OF,
    KINDS,
    Artifact,
    Ask,
    HeldTest,
    Remade,
    Session,
    SessionAsks,
    TargetRecord,
    Told,
    TrialRecord,
    Unit,
    content_key,
)
from fakes.metrics import ERROR

STUDY = {"task": "digits", "data": {"split": None}, "network": "lenet"}
PLAN = CompressionPlan(
    (
        ("fc1", LayerChoice("W3", (("layout", "block"), ("sparsity", 0.9)))),
        ("fc2", LayerChoice("W1f", (("rank_divisor", 12),))),
    ),
    "int8",
)
TARGET = TargetRecord(
    Target(
        "f" * 16, "Box", "linux-python", "ai_edge_litert", "2.3.0",
        MeasureSettings(core_mask="f0", input_ranges=(("a", 0, 9), (None, -1.0, 1.0))),
    ),
    DeviceFacts(
        "sha256:" + "0" * 16, "adb", model="Box", clusters=(CpuCluster((0, 1), 1_800_000),),
        battery=Battery(4000.0, 80.0),
    ),
    {"latency_ms": "measured", "energy_mj": "analytic"},
    {"latency_ms": "measured", "energy_mj": "analytic"},
)  # fmt: skip
DEMANDS = {TARGET.key: UserDemand(max_latency_ms=1.5)}
SESSION = Session(
    "dqn", "default", 3, 2, DEMANDS, "01234567", "0.1.0", {"sampler x": "theirs 1"},
    keep=("conv",), only=("W1f", "int8"),
)  # fmt: skip
MEASUREMENT = Measurement(
    model_sha256="a" * 64,
    model_bytes=10,
    device_fingerprint="f" * 16,
    device_title="Box",
    agent=Agent("linux-python", "0.1.0", "ai_edge_litert", "2.3.0"),
    settings=TARGET.target.settings,
    placements=(
        Placement(0, 0, 100, 90, (Block(0, 5, 1, (7, 8), 9, -1, 15, 0, 0, 1, 1_800_000),), (30,)),
        Placement(1, 0, 50, 40, (Block(0, 50, 10, (9,)), Block(1, 60, 10, (9,)))),
    ),
    delegates=(Delegate("XNNPACK", 3),),
    memory=Memory(1, 2, 1, True),
    before=Conditions(1.5, (None, 3), ("schedutil", None), {"cpu": 40.5}, 0.1, None, None, (0, 1)),
    after=Conditions(2.5),
    session="ab" * 8,
)
MEASURED = MeasuredTogether("ab" * 8, MeasuringPlan(seed=3), (MEASUREMENT,), Ended.TIME)
UNIT = Unit(
    TARGET.key, "a" * 64, ("ab" * 8,), UnitLatency(1.0, 0.9, 1.2), "a guess", PRIOR
)  # fmt: skip
LATER = replace(
    UNIT, latency=UnitLatency(1.1, 1.0, 1.3, is_initial=False), reason="AgentError: no"
)  # fmt: skip
SPEC = ModelSpec(
    "toy", (8, 8, 1),
    (
        LayerSpec("conv", LayerKind.CONV, (8, 8, 1), (8, 8, 4), (3, 3), (1, 1), "same", "relu",
                  40, 40, 8, 8, "conv", inputs=(NETWORK_INPUT,)),
        LayerSpec("fc", LayerKind.DENSE, (256,), (10,), weights=2570, nonzero_weights=300,
                  flattened_from=(8, 8, 4), inputs=("conv",)),
    ),
)  # fmt: skip
SCORES = SampleScores.of(np.arange(20) % 3 > 0)
ARTIFACT = Artifact(content_key("basis", PLAN), PLAN.key, "a" * 64, 10, 0.65, SCORES, SPEC)
TRIAL = TrialRecord(PLAN, ARTIFACT.key, {TARGET.key: MEASURED.id}, {"0" * 8: "no"}, None, 1.5, 2.5)
FAILED = TrialRecord(CompressionPlan(), reason="ConversionError: no")
REMADE = Remade(PLAN, ARTIFACT.key, {TARGET.key: MEASURED.id}, making_s=9.0)
HELD = HeldTest(PLAN.key, "a" * 64, 1, 0.025, SCORES)
TOLD, BEFORE = Told(1, (TARGET.key,)), Told(0, (), PLAN.key)
EXAMPLES = (
    TARGET, SESSION, BEFORE, Ask(1, PLAN), ARTIFACT, MEASURED, UNIT, LATER, TRIAL, FAILED, TOLD,
    REMADE, HELD,
)  # fmt: skip

GOOD = json.dumps({"kind": "trial", **msgspec.to_builtins(FAILED)})
LEAN = {"device_fingerprint": "f" * 16, "agent": "a", "runtime": "r", "runtime_version": "1"}


def hurt(original, *path, value):
    """A record with one value of it replaced."""
    text = json.dumps(msgspec.to_builtins(original))
    record = {"kind": KIND_OF[type(original)], **json.loads(text)}
    *outer, last = path
    place = functools.reduce(lambda inner, name: inner[name], outer, record)
    place[last] = value
    return json.dumps(record)


def kinds(folder):
    """Of the lines of a journal, in their order."""
    return [json.loads(line)["kind"] for line in (folder / JOURNAL).read_text().splitlines()]


def test_there_is_an_example_of_every_kind_of_record():
    assert {type(example) for example in EXAMPLES} == set(KINDS.values())


def test_gives_back_every_value_as_it_was(tmp_path):
    with Journal.open(tmp_path / "run") as journal:
        journal.begin(STUDY)
        for example in EXAMPLES:
            journal.add(example)
        written = journal.content
    assert kinds(tmp_path / "run") == ["header", *(KIND_OF[type(one)] for one in EXAMPLES)]
    content = read_journal(tmp_path / "run")
    assert content == written
    assert content.study == STUDY
    assert content.targets == {TARGET.key: TARGET}
    told = {PLAN.key: BEFORE, 1: TOLD}
    assert content.sessions == [SessionAsks(SESSION, 0, [Ask(1, PLAN)], told)]
    assert content.artifacts == {ARTIFACT.key: ARTIFACT}
    assert content.measured == {MEASURED.id: MEASURED}
    assert content.sessions_on(TARGET.key) == [MEASURED]
    assert content.sessions_on("0" * 8) == []
    assert (content.units, content.units_later) == ({TARGET.key: UNIT}, {TARGET.key: LATER})
    assert list(content.trials.values()) == [TRIAL, FAILED]
    assert content.held_tests == {PLAN.key: HELD}
    assert (content.asked, content.artifact_of(PLAN.key)) == (1, ARTIFACT)


def test_a_later_trial_of_the_same_plan_takes_the_place_of_the_first(tmp_path):
    later = replace(TRIAL, measurements={**TRIAL.measurements, "0" * 8: "cd" * 8}, failures={})
    with Journal.open(tmp_path) as journal:
        journal.begin(STUDY)
        for record in (TRIAL, FAILED, later):
            journal.add(record)
    assert list(read_journal(tmp_path).trials.values()) == [later, FAILED]


def test_a_session_knows_its_own_asks_and_how_many_trials_there_were_before(tmp_path):
    other = replace(SESSION, seed=4)
    asks = [Ask(number, PLAN) for number in (1, 2, 3)]
    with Journal.open(tmp_path) as journal:
        journal.begin(STUDY)
        for record in (SESSION, asks[0], FAILED, asks[1], other, asks[2], TRIAL):
            journal.add(record)
    first, second = read_journal(tmp_path).sessions
    assert (first.session, first.trials_before, first.asks) == (SESSION, 0, asks[:2])
    assert (second.session, second.trials_before, second.asks) == (other, 1, asks[2:])


def test_a_plan_in_a_precision_that_is_not_installed_here_is_read(tmp_path):
    choices = (("fc", LayerChoice("their.W9-x")),)
    foreign = TrialRecord(CompressionPlan(choices, "their.int4-x"), reason="slow")
    with Journal.open(tmp_path) as journal:
        journal.begin(STUDY)
        journal.add(foreign)
    assert list(read_journal(tmp_path).trials.values()) == [foreign]


def test_qualities_and_scores_are_those_of_the_metric_in_the_header(tmp_path):
    error = Scale.of(ERROR)
    scores = SampleScores.of(np.array([0.5, 9.5]))
    artifact = replace(ARTIFACT, accuracy=5.0, scores=scores)
    test = HeldTest(CompressionPlan().key, "a" * 64, 0, 0.0, scores)
    with Journal.open(tmp_path) as journal:
        journal.begin({**STUDY, "metric": asdict(error)})
        journal.add(artifact)
        journal.add(test)
    content = read_journal(tmp_path)
    assert content.scale == error
    assert content.artifacts[ARTIFACT.key] == artifact
    assert list(content.held_tests.values()) == [test]
    path = tmp_path / JOURNAL
    text = path.read_text()
    for there, instead in (('"high":10.0', '"high":9.0'), ('"is_binary":false', '"is_binary":1'),
                           ('"low":0.0', '"low":"x"'), ('"metric":{', '"metrik":{')):  # fmt: skip
        path.write_text(text.replace(there, instead))
        with pytest.raises(FormatError, match=r"journal\.jsonl, line 2.* another folder"):
            read_journal(tmp_path)


def test_right_and_wrong_samples_take_a_bit_each(tmp_path):
    right = SampleScores.of(np.arange(9) < 7)
    with Journal.open(tmp_path) as journal:
        journal.begin(STUDY)
        journal.add(replace(ARTIFACT, scores=right))
        assert journal.content.scale == ACCURACY_SCALE
    line = json.loads((tmp_path / JOURNAL).read_text().splitlines()[1])
    assert line["scores"] == {"count": 9, "packed": "/gA="}


def test_the_same_study_goes_on_and_another_is_refused_with_what_differs(tmp_path):
    with Journal.open(tmp_path) as journal:
        journal.begin(STUDY)
        journal.add(FAILED)
    with Journal.open(tmp_path) as journal:
        journal.begin(dict(STUDY))
        other = {**STUDY, "task": "mnist", "data": {"split": "v2"}}
        with pytest.raises(ConfigError) as caught:
            journal.begin(other)
    assert "data.split is not set there, v2 here" in str(caught.value)
    assert "task is digits there, mnist here" in str(caught.value)
    assert "network" not in str(caught.value)
    assert "Repeat its settings" in str(caught.value)


def test_settings_bind_only_once_something_was_found_with_them(tmp_path):
    with Journal.open(tmp_path) as journal:
        journal.begin(STUDY)
        journal.defer(TARGET)
        journal.defer(SESSION)
    assert not (tmp_path / JOURNAL).exists()
    other = {**STUDY, "task": "mnist"}
    with Journal.open(tmp_path) as journal:
        assert not journal.content.targets
        assert not journal.content.sessions
        journal.begin(other)
        journal.add(FAILED)
    with (
        Journal.open(tmp_path) as journal,
        pytest.raises(ConfigError, match="is mnist there"),
    ):
        journal.begin(STUDY)


def test_what_something_was_found_with_is_written_with_the_first_find_in_its_order(tmp_path):
    with Journal.open(tmp_path) as journal:
        journal.defer(TARGET)  # whoever comes first: the header is the first line
        journal.begin(STUDY)
        journal.defer(SESSION)
        assert journal.content.targets == {TARGET.key: TARGET}
        journal.add(ARTIFACT)
        journal.add(FAILED)
    assert kinds(tmp_path) == ["header", "target", "session", "artifact", "trial"]
    with Journal.open(tmp_path) as journal:
        journal.begin(STUDY)
        journal.defer(replace(SESSION, seed=4))
    assert kinds(tmp_path) == ["header", "target", "session", "artifact", "trial"]
    assert [one.session for one in read_journal(tmp_path).sessions] == [SESSION]


@pytest.mark.parametrize("version", [1, 2])
def test_a_lone_header_binds_nobody(tmp_path, version):
    (tmp_path / JOURNAL).write_text(header(version, study=STUDY))
    with Journal.open(tmp_path) as journal:
        journal.begin({**STUDY, "task": "mnist"})
        journal.add(FAILED)
    content = read_journal(tmp_path)
    assert content.study["task"] == "mnist"
    assert list(content.trials) == [FAILED.plan.key]


def test_a_study_keeps_the_id_that_its_first_record_was_written_with(tmp_path):
    ids = []
    for _ in range(3):
        with Journal.open(tmp_path) as journal:
            ids.append(journal.content.id)
            journal.begin(STUDY)
            journal.add(FAILED)
    with Journal.open(tmp_path / "other") as journal:
        ids.append(journal.content.id)
    assert re.fullmatch("[0-9a-f]{8}", ids[0])
    assert ids[1:3] == ids[:1] * 2
    assert ids[3] != ids[0]


def header(version=3, **fields):
    return json.dumps({"kind": "header", "schema_version": version, **fields}) + "\n"


@pytest.mark.parametrize("fields", [{}, {"id": "../../../../x"}, {"id": 7}])
def test_a_study_without_an_id_is_refused(tmp_path, fields):
    (tmp_path / JOURNAL).write_text(header(study=STUDY, **fields) + GOOD + "\n")
    with pytest.raises(FormatError, match=r"line 1: the study has no id; begin anew .* \(-o\)"):
        read_journal(tmp_path)


@pytest.mark.parametrize("version", [1, 2])
def test_a_search_of_an_earlier_version_is_refused_in_one_sentence_and_left_as_it_is(
    tmp_path, version
):
    text = header(version, id="0123abcd", adadeep_version="0.1.0", study=STUDY) + GOOD + "\n"
    (tmp_path / JOURNAL).write_text(text)
    for read in (read_journal, Journal.open):
        with pytest.raises(
            FormatError, match=r"by an earlier adadeep, which this version .*\(-o\)"
        ):
            read(tmp_path)
    assert (tmp_path / JOURNAL).read_text() == text


def test_differences_name_what_only_one_side_has():
    assert differences({"a": 1}, {"b": None}) == ["a is 1 there, not set here"]


def test_a_newer_journal_is_refused_with_the_remedy(tmp_path):
    head = {"kind": "header", "schema_version": 99, "adadeep_version": "9.9.0", "study": {}}
    (tmp_path / JOURNAL).write_text(json.dumps(head) + "\n")
    with pytest.raises(FormatError, match=r"newer adadeep \(9\.9\.0\); upgrade"):
        Journal.open(tmp_path)
    assert json.loads((tmp_path / JOURNAL).read_text()) == head


@pytest.mark.parametrize(
    "line",
    [
        '{"kind":"miracle"}',
        '{"kind":"trial","plan":{"choices":[],"precision":"int8"}}',
        '{"kind":"trial","plan":{"choices":[],"precision":"int 3"},"reason":"no"}',
        hurt(TRIAL, "plan", "precision", value="../../../../etc/passwd"),
        hurt(TRIAL, "plan", "precision", value=""),
        hurt(TRIAL, "plan", "precision", value=8),
        hurt(TRIAL, "plan", "choices", 0, 1, "technique", value="W9\x1b[31m"),
        hurt(TRIAL, "reason", value="both a network and none"),
        hurt(TRIAL, "artifact", value=None),
        hurt(TRIAL, "artifact", value="../../../../etc/passwd"),
        hurt(TRIAL, "measurements", value=["x"]),
        hurt(TRIAL, "failures", "0" * 8, value="x" * 3000),
        hurt(TRIAL, "making_s", value=-1),
        hurt(TRIAL, "measurements", value={TARGET.key: "../../../../etc/passwd"}),
        '{"kind":"measurement"}',
        '{"kind":"measured"}',
        hurt(MEASURED, "id", value="0" * 16),
        hurt(MEASURED, "measurements", value=[]),
        hurt(MEASURED, "measurements", 0, "placements", value=[]),
        hurt(MEASURED, "measurements", 0, "placements", 0, "blocks", 0, "times_ns", 0, value=-5),
        hurt(MEASURED, "plan", "placements", value=0),
        hurt(UNIT, "latency", "latency_ms", value=float("inf")),
        hurt(UNIT, "latency", "low_ms", value=0),
        hurt(UNIT, "latency", "low_ms", value=1.1),
        hurt(UNIT, "latency", "is_initial", value=False),
        hurt(UNIT, "target", value="../x"),
        hurt(UNIT, "model_sha256", value="a"),
        hurt(UNIT, "sessions", value=["a"]),
        hurt(UNIT, "basis", value="x" * 3000),
        hurt(UNIT, "noise", "references", value=[]),
        hurt(ARTIFACT, "key", value="a"),
        hurt(ARTIFACT, "accuracy", value=1.5),
        hurt(ARTIFACT, "accuracy", value=-1e-9),
        hurt(ARTIFACT, "model_sha256", value="a"),
        hurt(ARTIFACT, "plan_key", value="../../../../x"),
        hurt(ARTIFACT, "file_bytes", value=-1),
        hurt(ARTIFACT, "scores", "count", value=400),
        hurt(ARTIFACT, "scores", "packed", value="no base64"),
        hurt(ARTIFACT, "spec", "layers", 0, "kind", value="magic"),
        hurt(ARTIFACT, "spec", "layers", 0, "kernel", value=None),
        hurt(ARTIFACT, "spec", "layers", 0, "weights", value="many"),
        hurt(ARTIFACT, "spec", "layers", 1, "nonzero_weights", value=-5),
        hurt(ARTIFACT, "spec", "layers", 1, "output_shape", value=[10**9] * 6),
        hurt(TARGET, "target", value=LEAN),
        hurt(TARGET, "target", "settings", "threads", value="many"),
        hurt(TARGET, "sources", value={"latency_ms": "measured"}),
        hurt(TARGET, "facts", "ram_bytes", value=-1),
        hurt(TARGET, "facts", "battery", "level_percent", value=1000),
        hurt(SESSION, "demands", TARGET.key, "max_latency_ms", value=-1),
        hurt(SESSION, "sampler", value=None),
        hurt(Ask(1, PLAN), "number", value=0),
        hurt(Ask(1, PLAN), "plan", value=None),
        json.dumps({"kind": "ask", **msgspec.to_builtins(Ask(1, PLAN))}),  # of no session
        json.dumps({"kind": "told", **msgspec.to_builtins(TOLD)}),
        hurt(HELD, "number", value=0),
        hurt(HELD, "tail", value=1.0),
        hurt(HELD, "model_sha256", value="../x"),
        "[" * 100_000,
    ],
)
def test_a_record_that_cannot_be_read_names_file_and_line(tmp_path, line):
    with Journal.open(tmp_path) as journal:
        journal.begin(STUDY)
        journal.add(FAILED)
    with (tmp_path / JOURNAL).open("a") as file:
        file.write(line + "\n" + GOOD + "\n")  # a damaged last line is one that was torn
    with pytest.raises(FormatError, match=r"journal\.jsonl, line 3") as caught:
        read_journal(tmp_path)
    assert "another folder" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 700 + len(str(tmp_path))


@pytest.mark.parametrize(
    "told", [(0, ()), (-1, ()), (1, ("../..",)), (3, (), PLAN.key), (0, (), "x"), (10**9, ())]
)
def test_what_was_told_of_nothing_is_refused(told):
    with pytest.raises(ValueError, match=r"number|key"):
        Told(*told)


def test_a_file_that_is_no_journal_is_left_alone(tmp_path):
    (tmp_path / JOURNAL).write_text('{"kind":"trial"}\n{"kind":"trial"}\n')
    with pytest.raises(FormatError, match="no journal"):
        Journal.open(tmp_path)


def test_two_searches_cannot_hold_one_folder(tmp_path):
    with Journal.open(tmp_path), pytest.raises(ConfigError, match="another search is running"):
        Journal.open(tmp_path)
    Journal.open(tmp_path).close()


def test_a_folder_that_cannot_be_made_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="-o"):
        Journal.open(tmp_path / "file" / "run")


def test_a_refused_journal_lets_the_folder_go(tmp_path):
    (tmp_path / JOURNAL).write_text('{"kind":"header","schema_version":99}\n')
    for _ in range(2):
        with pytest.raises(FormatError, match="upgrade"):
            Journal.open(tmp_path)


WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from adadeep.core.layers import ModelSpec
    from adadeep.core.scores import SampleScores
    from adadeep.storage.journal import Journal
    from adadeep.storage.records import Artifact

    SPEC, SCORES = ModelSpec("toy", (1,), ()), SampleScores(1, "gA==")

    def artifact(number):
        key = f"{number:016x}"
        return Artifact(key, key, "a" * 64, 1, 0.5, SCORES, SPEC)

    journal = Journal.open(Path(sys.argv[1]))
    journal.begin({"task": "digits"})
    number = 0
    """
)


def test_a_host_killed_while_writing_loses_no_whole_record(tmp_path):
    script = WRITER + textwrap.dedent(
        """
        while True:
            journal.add(artifact(number))
            print(number, flush=True)
            number += 1
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    lines = [process.stdout.readline() for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    reported = [int(line) for line in lines if line.endswith(b"\n")]
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'{"kind":"artifact","plan_k')  # as if it had died in the middle of a write
    with Journal.open(tmp_path) as journal:
        journal.begin({"task": "digits"})
        assert len(reported) >= 20
        assert {f"{number:016x}" for number in reported} <= set(journal.content.artifacts)
        journal.add(FAILED)
    assert FAILED.plan.key in read_journal(tmp_path).trials


@pytest.mark.parametrize("fails", [False, True])
def test_a_folder_for_which_nothing_was_found_goes_again(tmp_path, fails):
    folder = tmp_path / "run"
    error = ConfigError("no data") if fails else None
    with contextlib.suppress(ConfigError):
        opened_and_left(folder, error)
    assert not folder.exists()


def opened_and_left(folder, error=None):
    with Journal.open(folder) as journal:
        journal.begin(STUDY)
        (folder / "native.log").write_text("noise")
        if error:
            raise error


def test_a_folder_that_was_there_holds_a_find_or_may_explain_our_own_fault_stays(tmp_path):
    there, found, broken = (tmp_path / name for name in ("there", "found", "broken"))
    there.mkdir()
    with Journal.open(there) as journal:
        journal.begin(STUDY)
    with Journal.open(found) as journal:
        journal.begin(STUDY)
        journal.add(FAILED)
    with pytest.raises(ZeroDivisionError):
        opened_and_left(broken, ZeroDivisionError())
    assert there.exists()
    assert found.exists()
    assert broken.exists()


def test_a_full_disk_ends_with_a_clear_error_and_what_was_there_stays(tmp_path):
    # A limit on the size of a file cuts a write in the middle, as a full disk does.
    script = WRITER + textwrap.dedent(
        """
        import resource, signal
        from adadeep.core.errors import ConfigError
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
        try:
            while True:
                journal.add(artifact(number))
                number += 1
        except ConfigError as error:
            print(number, error)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True,
        check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    count, _, message = done.stdout.partition(" ")
    assert "can't be written" in message
    assert "free some space" in message
    assert (tmp_path / JOURNAL).stat().st_size == 3000
    with Journal.open(tmp_path) as journal:
        assert set(journal.content.artifacts) == {f"{number:016x}" for number in range(int(count))}
        journal.add(FAILED)
    assert len(read_journal(tmp_path).artifacts) == int(count)


def test_a_session_of_measuring_that_is_there_twice_is_refused(tmp_path):
    with Journal.open(tmp_path) as journal:
        journal.begin(STUDY)
        journal.add(MEASURED)
    path = tmp_path / JOURNAL
    path.write_text(path.read_text() + path.read_text().splitlines(keepends=True)[-1])
    with pytest.raises(FormatError, match="line 3: a session of measuring is there twice"):
        read_journal(tmp_path)
