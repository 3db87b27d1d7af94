"""`--episodes` and `--max-time`, and what a search says of its length."""

from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from adadeep.cli.commands import search as search_command
from adadeep.cli.length_options import length_options
from adadeep.cli.progress import ProgressState
from adadeep.study.price import Price
from adadeep.study.study import TrialEvent
from unit.study.test_study import ScriptedSampler, search, some_plans


def parsed(*words):
    seen = {}

    @click.command()
    @length_options
    def command(**options):
        seen.update(options)

    done = CliRunner().invoke(command, words)
    return seen, done


@pytest.mark.parametrize(
    ("words", "episodes"),
    [((), None), (("--episodes", "auto"), None), (("--episodes", "7"), 7)],
)
def test_episodes_are_a_number_or_auto_which_is_the_default(words, episodes):
    assert parsed(*words)[0] == {"episodes": episodes, "max_time": None}


@pytest.mark.parametrize("word", ["many", "1e3", "1000001", "AUTO", ""])
def test_anything_else_is_refused(word):
    seen, done = parsed("--episodes", word)
    assert (seen, done.exit_code) == ({}, 2)
    assert "--episodes" in done.output


def test_the_help_names_the_default():
    assert "[default: auto" in " ".join(parsed("--help")[1].output.split())


class Told:
    """A console that keeps what it was told."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def test_the_price_and_what_going_on_may_gain_are_shown(tmp_path):
    event = search(tmp_path, ScriptedSampler(some_plans(1)), 1).watching.events[-1]
    ui, state = Told(), ProgressState("search digits", None, lambda: 0.0)
    reporter = search_command._Reporter(ui, state)
    state.advance = lambda steps, note="", outlook="": ProgressState.advance(
        state, steps, note, outlook
    )
    reporter.price(Price(25, 180.0, 40.0))
    event = TrialEvent(1, None, event.scored, event.best, False, 0.0421)
    reporter.trial(event)
    assert ui.notes[0] == "about 25 plans: 3 min of training, 40 s on the device"
    assert ui.notes[1].startswith("[1] ")
    assert state.outlook == "may gain 0.042"
    reporter.trial(TrialEvent(2, 30, event.scored, event.best, False))
    assert ui.notes[2].startswith("[2/30] ")
    assert state.outlook == "may gain 0.042"  # the last one that was said
    assert state.done == 2


@pytest.mark.parametrize(
    ("stop", "asked", "said"),
    [
        ("going on is not worth it", 25, ["stopped after 25 plans: going on is not worth it."]),
        ("no more", 1, ["stopped after 1 plan: no more."]),
        ("the time is over", 0, ["stopped after 0 plans: the time is over."]),
        (None, 25, []),
    ],
)
def test_why_a_search_ended_is_said(stop, asked, said):
    ui = Told()
    outcome = SimpleNamespace(stop=stop, asked=asked)
    search_command._say_end(ui, outcome)
    assert ui.notes == said
