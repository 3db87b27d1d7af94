"""Every bad input: a documented exit code, one clear sentence, nothing on stdout, nothing left."""

from __future__ import annotations

import pytest

from fakes import good_files
from fakes.bad_inputs import BAD_INPUTS, Bad
from fakes.sandbox import CommandRunner, assert_clear_failure


def test_there_are_a_hundred():
    assert len(BAD_INPUTS) >= 100


@pytest.mark.parametrize("case", BAD_INPUTS, ids=[ascii(c.words)[:60] for c in BAD_INPUTS])
def test_a_bad_input_ends_in_one_sentence_and_leaves_nothing(
    command: CommandRunner, case: Bad, monkeypatch: pytest.MonkeyPatch
):
    sandbox = command.sandbox
    monkeypatch.setenv("ADADEEP_LIBRARY", str(sandbox.library))
    sandbox.file("good.tflite", good_files.MODEL)
    case.prepare(sandbox)
    before = sandbox.snapshot()
    done = command(case.arguments, case.variables)
    assert_clear_failure(done, set(case.codes))
    assert sandbox.snapshot() == before


@pytest.mark.parametrize(
    "words",
    [["measure", "good.tflite", "-d", "local", "--max-seconds", "0.02", "--launches", "1"],
     ["profiles", "show", "box"], ["deploy", "run", "-d", "local"],
     ["deploy", "old", "-d", "local"]],
)  # fmt: skip
def test_what_the_bad_ones_are_made_from_is_sound(
    command: CommandRunner, words: list[str], monkeypatch: pytest.MonkeyPatch
):
    sandbox = command.sandbox
    monkeypatch.setenv("ADADEEP_LIBRARY", str(sandbox.library))
    sandbox.file("good.tflite", good_files.MODEL)
    good_files.write_profile()
    good_files.write_run(sandbox.work / "run")
    good_files.write_run_of_0_1(sandbox.work / "old")
    before = sandbox.snapshot()
    done = command(words)
    assert done.code == 0, done.err
    assert sandbox.snapshot() == before
