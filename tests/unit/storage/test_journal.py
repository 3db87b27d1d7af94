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

from adadeep.core.cost import UNAVAILABLE, Cost, Provenance, Quantity
from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.measurement import (
    Agent,
    Conditions,
    Delegate,
    Launch,
    Measurement,
    MeasureSettings,
    Memory,
)
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.scores import SampleScores
from adadeep.core.trial import Trial, TrialState
from adadeep.storage.journal import (
    JOURNAL,
    Artifact,
    HeldTest,
    Journal,
    differences,
    read_journal,
)
from fakes.metrics import ERROR

STUDY = {"task": "digits", "demand": {"max_latency_ms": None}, "seed": 0}
MEASUREMENT = Measurement(
    model_sha256="a" * 64,
    model_bytes=10,
    device_fingerprint="f" * 16,
    device_title="Box",
    agent=Agent("linux-python", "0.1.0", "ai_edge_litert", "2.3.0"),
    settings=MeasureSettings(),
    launches=(Launch(100, 90, (5, 6), (7, 8)), Launch(50, 40, (), (9,))),
    delegates=(Delegate("XNNPACK", 3),),
    memory=Memory(1, 2, 1, True),
    before=Conditions(1.5, (None, 3), ("schedutil", None), {"cpu": 40.5}, 0.1, None, None, (0, 1)),
    after=Conditions(2.5),
    anchor_ratio=1.25,
)
PLAN = CompressionPlan(
    (
        ("fc1", LayerChoice("W3", (("layout", "block"), ("sparsity", 0.9)))),
        ("fc2", LayerChoice("W1f", (("rank_divisor", 12),))),
    ),
    "int8",
)
COST = Cost(Quantity(1.25, Provenance.MEASURED, "Box"), UNAVAILABLE, 12.5, 13.0, 14, 15)
TRIAL = Trial(PLAN, TrialState.COMPLETE, 0.5, COST, "a" * 64, MEASUREMENT.key, None, 1.5)
FAILED = Trial(CompressionPlan(), TrialState.FAILED, reason="ConversionError: no")
ARTIFACT = Artifact(PLAN.key, "a" * 64, 10, 0.5, 100, 12.5, 13.0, 0.25)

GOOD = json.dumps({"kind": "trial", **msgspec.to_builtins(FAILED)})


def hurt(original, *path, value):
    """A record with one value of it replaced."""
    text = json.dumps(msgspec.to_builtins(original))
    record = {"kind": type(original).__name__.lower(), **json.loads(text)}
    *outer, last = path
    place = functools.reduce(lambda inner, name: inner[name], outer, record)
    place[last] = value
    return json.dumps(record)


def test_gives_back_every_value_as_it_was(tmp_path):
    with Journal.open(tmp_path / "run") as journal:
        journal.begin(STUDY)
        journal.add_artifact(ARTIFACT)
        journal.add_measurement(MEASUREMENT)
        journal.add_trial(TRIAL)
        journal.add_trial(FAILED)
        written = journal.content
    content = read_journal(tmp_path / "run")
    assert content == written
    assert content.study == STUDY
    assert content.artifacts == {PLAN.key: ARTIFACT}
    assert content.measurements == {MEASUREMENT.key: MEASUREMENT}
    assert list(content.trials.values()) == [TRIAL, FAILED]


def test_a_plan_in_a_precision_that_is_not_installed_here_is_read(tmp_path):
    foreign = Trial(CompressionPlan(precision="their.int4-x"), TrialState.FAILED, reason="slow")
    with Journal.open(tmp_path) as journal:
        journal.begin(STUDY)
        journal.add_trial(foreign)
    assert list(read_journal(tmp_path).trials.values()) == [foreign]


def test_qualities_and_scores_are_those_of_the_metric_in_the_header(tmp_path):
    error = Scale.of(ERROR)
    scores = SampleScores.of(np.array([0.5, 9.5]))
    artifact = replace(ARTIFACT, accuracy=5.0, correct=scores)
    test = HeldTest(CompressionPlan().key, "a" * 64, 0, scores)
    with Journal.open(tmp_path) as journal:
        journal.begin({**STUDY, "metric": asdict(error)})
        journal.add_artifact(artifact)
        journal.add_trial(replace(TRIAL, accuracy=5.0))
        journal.add_held_test(test)
    content = read_journal(tmp_path)
    assert content.scale == error
    assert content.artifacts[PLAN.key] == artifact
    assert list(content.held_tests.values()) == [test]
    path = tmp_path / JOURNAL
    text = path.read_text()
    for there, instead in (('"high":10.0', '"high":9.0'), ('"is_binary":false', '"is_binary":1'),
                           ('"low":0.0', '"low":"x"'), ('"metric":{', '"metrik":{')):  # fmt: skip
        path.write_text(text.replace(there, instead))
        with pytest.raises(FormatError, match=r"journal\.jsonl, line 2.* another folder"):
            read_journal(tmp_path)


def test_right_and_wrong_samples_are_written_as_ever(tmp_path):
    right = SampleScores.of(np.arange(9) < 7)
    with Journal.open(tmp_path) as journal:
        journal.begin(STUDY)
        journal.add_artifact(replace(ARTIFACT, correct=right))
        assert journal.content.scale == ACCURACY_SCALE
    line = json.loads((tmp_path / JOURNAL).read_text().splitlines()[1])
    assert line["correct"] == {"count": 9, "packed": "/gA="}


def test_the_same_study_goes_on_and_another_is_refused_with_what_differs(tmp_path):
    with Journal.open(tmp_path) as journal:
        journal.begin(STUDY)
        journal.add_trial(FAILED)
    with Journal.open(tmp_path) as journal:
        journal.begin(dict(STUDY))
        other = {**STUDY, "seed": 1, "demand": {"max_latency_ms": 4.0}}
        with pytest.raises(ConfigError) as caught:
            journal.begin(other)
    assert "demand.max_latency_ms is not set there, 4.0 here" in str(caught.value)
    assert "seed is 0 there, 1 here" in str(caught.value)
    assert "task" not in str(caught.value)


def test_settings_bind_only_once_something_was_found_with_them(tmp_path):
    with Journal.open(tmp_path) as journal:
        journal.begin(STUDY)
    assert not (tmp_path / JOURNAL).exists()
    other = {**STUDY, "seed": 1}
    with Journal.open(tmp_path) as journal:
        journal.begin(other)
        journal.add_trial(FAILED)
    with Journal.open(tmp_path) as journal, pytest.raises(ConfigError, match="seed is 1 there"):
        journal.begin(STUDY)


def test_the_lone_header_of_an_older_version_binds_nobody(tmp_path):
    (tmp_path / JOURNAL).write_text(header(study=STUDY))
    with Journal.open(tmp_path) as journal:
        journal.begin({**STUDY, "seed": 1})
        journal.add_trial(FAILED)
    content = read_journal(tmp_path)
    assert content.study["seed"] == 1
    assert list(content.trials) == [FAILED.plan.key]


def test_a_study_keeps_the_id_that_its_first_record_was_written_with(tmp_path):
    ids = []
    for _ in range(3):
        with Journal.open(tmp_path) as journal:
            ids.append(journal.content.id)
            journal.begin(STUDY)
            journal.add_trial(FAILED)
    with Journal.open(tmp_path / "other") as journal:
        ids.append(journal.content.id)
    assert re.fullmatch("[0-9a-f]{8}", ids[0])
    assert ids[1:3] == ids[:1] * 2
    assert ids[3] != ids[0]


def test_a_study_of_an_older_version_has_an_id_that_stays_the_same(tmp_path):
    trial = json.dumps({"kind": "trial", **msgspec.to_builtins(FAILED)})
    (tmp_path / JOURNAL).write_text(header(study=STUDY) + trial + "\n")
    first, second = read_journal(tmp_path), read_journal(tmp_path)
    assert re.fullmatch("[0-9a-f]{8}", first.id)
    assert first == second
    assert first.study == STUDY


def header(**fields):
    return json.dumps({"kind": "header", "schema_version": 1, **fields}) + "\n"


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
        '{"kind":"trial","plan":{"choices":[],"precision":"int8"},"state":"complete"}',
        '{"kind":"trial","plan":{"choices":[],"precision":"int 3"},"state":"failed"}',
        hurt(TRIAL, "plan", "precision", value="../../../../etc/passwd"),
        hurt(TRIAL, "plan", "precision", value=""),
        hurt(TRIAL, "plan", "precision", value=8),
        '{"kind":"measurement"}',
        hurt(TRIAL, "state", value="half done"),
        hurt(TRIAL, "accuracy", value=3),
        hurt(TRIAL, "accuracy", value=-1e-9),
        hurt(TRIAL, "model_sha256", value="../../../../etc/passwd"),
        hurt(TRIAL, "cost", "latency_ms", "value", value=-5),
        hurt(TRIAL, "cost", "macs", value="many"),
        hurt(TRIAL, "plan", "choices", 0, 1, "technique", value="W9\x1b[31m"),
        hurt(ARTIFACT, "accuracy", value=1.5),
        hurt(ARTIFACT, "model_sha256", value="a"),
        hurt(ARTIFACT, "plan_key", value="../../../../x"),
        hurt(ARTIFACT, "energy_mj", value=-0.1),
        hurt(MEASUREMENT, "launches", value=[]),
        hurt(MEASUREMENT, "launches", 0, "runs_ns", 0, value=-5),
        hurt(TRIAL, "cost", "latency_ms", "value", value=float("inf")),
        hurt(TRIAL, "seconds", value=float("nan")),
        "[" * 100_000,
    ],
)
def test_a_record_that_cannot_be_read_names_file_and_line(tmp_path, line):
    with Journal.open(tmp_path) as journal:
        journal.begin(STUDY)
        journal.add_trial(FAILED)
    with (tmp_path / JOURNAL).open("a") as file:
        file.write(line + "\n" + GOOD + "\n")  # a damaged last line is one that was torn
    with pytest.raises(FormatError, match=r"journal\.jsonl, line 3") as caught:
        read_journal(tmp_path, {"W1f", "W3"})
    assert "another folder" in str(caught.value)
    assert "\x1b" not in str(caught.value)


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


def test_a_host_killed_while_writing_loses_no_whole_record(tmp_path):
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from adadeep.storage.journal import Artifact, Journal
        journal = Journal.open(Path(sys.argv[1]))
        journal.begin({"task": "digits"})
        number = 0
        while True:
            journal.add_artifact(Artifact(f"{number:016x}", "a" * 64, 1, 0.5, 1, 1.0, 1.0, 1.0))
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
        journal.add_trial(FAILED)
    assert FAILED.plan.key in read_journal(tmp_path).trials


def test_a_full_disk_ends_with_a_clear_error_and_what_was_there_stays(tmp_path):
    # A limit on the size of a file cuts a write in the middle, as a full disk does.
    script = textwrap.dedent(
        """
        import resource, signal, sys
        from pathlib import Path
        from adadeep.core.errors import ConfigError
        from adadeep.storage.journal import Artifact, Journal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
        journal = Journal.open(Path(sys.argv[1]))
        journal.begin({"task": "digits"})
        number = 0
        try:
            while True:
                key = f"{number:016x}"
                journal.add_artifact(Artifact(key, "a" * 64, 1, 0.5, 1, 1.0, 1.0, 1.0))
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
        journal.add_trial(FAILED)
    assert len(read_journal(tmp_path).artifacts) == int(count)
