"""Networks, data and plans of the user's own that can't be used: one sentence, by real commands.

The worker works in this process (`trainer_here`), so that TensorFlow is started once.
"""

from __future__ import annotations

import json
import sys

import pytest

from fakes.bad_inputs import Bad
from fakes.bad_own import BAD_OWN, BARE, PLAN, module, sound
from fakes.sandbox import CommandRunner, assert_clear_failure
from fakes.trainer_here import work_here

pytestmark = pytest.mark.tf


@pytest.fixture
def here(command: CommandRunner, monkeypatch: pytest.MonkeyPatch) -> CommandRunner:
    """Runs commands in a sandbox with a sound network and data, in this process."""
    work_here(monkeypatch)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    sound(command.sandbox)
    return command


@pytest.mark.parametrize("case", BAD_OWN, ids=[ascii(c.words)[:70] for c in BAD_OWN])
def test_what_can_not_be_used_ends_in_one_sentence_and_leaves_nothing(
    here: CommandRunner, case: Bad
) -> None:
    case.prepare(here.sandbox)
    before = here.sandbox.snapshot()
    done = here(case.arguments, case.variables)
    assert_clear_failure(done, set(case.codes))
    assert here.sandbox.snapshot() == before


@pytest.mark.parametrize(
    "words",
    [f"{BARE} --json", f"{BARE} --data data.npz --train quick_m:f --json",
     "compress net.keras --plan float32 --data loud_m:f --json", "techniques net.keras --json"],
)  # fmt: skip
def test_what_the_bad_ones_are_made_from_is_sound(here: CommandRunner, words: str) -> None:
    """And what a module prints gets into no document."""
    module("quick_m", "def f(): return {'steps': 2}")(here.sandbox)
    text = (
        "print('a')\ndef f():\n    print('b')\n    import numpy\n    return numpy.load('data.npz')"
    )
    module("loud_m", text)(here.sandbox)
    done = here(words.split())
    assert done.code == 0, done.err
    assert json.loads(done.out)["schema"].startswith("adadeep.")


def test_a_search_of_them_ends_before_a_device_measures(here: CommandRunner) -> None:
    for words in (f"{PLAN}", "--data nothing.npz", "--data data.npz --train m1"):
        done = here(["search", "net.keras", "-d", "local", *words.split()])
        assert_clear_failure(done, {2})
    assert not (here.sandbox.work / "runs").exists()
