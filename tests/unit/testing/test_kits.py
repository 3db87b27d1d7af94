"""The kits fail where an entry breaks its contract: a kit that can't fail shows nothing."""

from __future__ import annotations

import inspect
from collections import deque
from dataclasses import replace
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest

from adadeep.convert.precisions.float32 import Float32
from adadeep.core.agent_kind import Preparing
from adadeep.core.clock import Deadline
from adadeep.core.compressed import Compressed
from adadeep.core.cost import Provenance, Quantity
from adadeep.core.cost_source import ENERGY
from adadeep.core.errors import AdaDeepError, TechniqueNotApplicable
from adadeep.core.plan import LayerChoice
from adadeep.core.search import Stop
from adadeep.core.task import Data, Task
from adadeep.devices.agent_kinds.registry import AGENT_KINDS
from adadeep.devices.local import LocalTransport
from adadeep.search.random_sampler import RandomSampler
from adadeep.testing.agent_kinds import AgentKindKit
from adadeep.testing.cost_sources import CostSourceKit
from adadeep.testing.executors import ExecutorKit
from adadeep.testing.precisions import PrecisionKit
from adadeep.testing.samplers import SamplerKit
from adadeep.testing.task_parts import (
    DataSetKit,
    MetricKit,
    NetworkKit,
    RecipeKit,
    TaskKit,
)
from adadeep.testing.techniques import TechniqueKit
from adadeep.training.metrics.accuracy import Accuracy
from adadeep.training.networks.lenet import LeNet
from adadeep.training.recipes.supervised import Supervised


def failing(kit, only=None, **given):
    """Names of the tests of a kit (or of some) that an entry does not pass, without "test_"."""
    found = set()
    for name, test in inspect.getmembers(kit(), inspect.ismethod):
        if not name.startswith("test_"):
            continue
        wanted = inspect.signature(test).parameters
        if only is not None and name.removeprefix("test_") not in only:
            continue
        marks = [m.args for m in getattr(test, "pytestmark", ()) if m.name == "parametrize"]
        more = {argument: values[0] for argument, values in marks}
        try:
            test(**{key: value for key, value in {**given, **more}.items() if key in wanted})
        except (AssertionError, AdaDeepError, TypeError, ValueError, pytest.fail.Exception):
            found.add(name.removeprefix("test_"))
    return found


# ---- samplers


def sampler_kind(ask, tell=lambda self, scored: None, presets=("default",)):
    def make(context):
        base = RandomSampler(context.space, context.seed)
        kind = type("Toy", (), {"ask": lambda self: ask(base, context), "tell": tell})
        return kind()

    return SimpleNamespace(name="toy", title="a toy", presets=presets, make=make)


def failing_sampler(**parts):
    kind = sampler_kind(**parts)
    return failing(SamplerKit, kind=kind, preset=kind.presets[0])


def test_a_sound_sampler_passes_and_one_that_stops_at_once_asks_for_nothing():
    assert failing_sampler(ask=lambda base, _: base.ask()) == set()
    assert "asks_only_for_plans_of_the_space" in failing_sampler(ask=lambda *_: Stop("no"))


def test_a_sampler_that_takes_no_seed_or_leaves_the_space_is_found():
    def by_the_clock(base, context):
        return RandomSampler(context.space, np.random.default_rng().integers(1 << 30)).ask()

    def outside(base, context):
        return replace(base.ask(), choices=(("gone", LayerChoice("W9")),))

    assert failing_sampler(ask=by_the_clock) == {
        "the_same_seed_and_rewards_give_the_same_plans",
        "to_be_asked_for_what_it_believes_changes_nothing",
    }
    assert "asks_only_for_plans_of_the_space" in failing_sampler(ask=outside)


class Believer(RandomSampler):
    """Believes what it was given; to say so it draws, if it is told to."""

    def __init__(self, context, gain, quality, draws=False):
        super().__init__(context.space, context.seed)
        self.gain, self.quality, self.draws = gain, quality, draws

    def expected_gain(self):
        if self.draws:
            super().ask()
        return self.gain

    def believed_quality(self, plan):
        return self.quality


@pytest.mark.parametrize(
    ("believes", "broken"),
    [
        ({"gain": 0.1, "quality": 0.5}, set()),
        ({"gain": None, "quality": None}, set()),
        ({"gain": -0.1, "quality": 0.5}, {"what_it_expects_to_gain_is_a_number_if_it_tells"}),
        ({"gain": float("nan"), "quality": 0.5},
         {"what_it_expects_to_gain_is_a_number_if_it_tells"}),
        ({"gain": 0.1, "quality": 1.01},
         {"what_it_believes_of_a_quality_is_within_the_scale_if_it_tells"}),
        ({"gain": 0.1, "quality": 0.5, "draws": True},
         {"to_be_asked_for_what_it_believes_changes_nothing"}),
    ],
)  # fmt: skip
def test_a_sampler_that_believes_nonsense_or_draws_to_say_it_is_found(believes, broken):
    kind = SimpleNamespace(
        name="toy", title="a toy", presets=("default",),
        make=lambda context: Believer(context, **believes),
    )  # fmt: skip
    assert failing(SamplerKit, kind=kind, preset="default") == broken


def test_a_sampler_that_knows_only_its_own_plans_or_one_goal_is_found():
    def strict(self, scored):
        assert len(scored.scores) == 1
        assert "gone" not in dict(scored.plan.choices)

    assert failing_sampler(ask=lambda base, _: base.ask(), tell=strict) == {
        "what_it_did_not_ask_for_may_be_told_even_from_outside_the_space",
        "several_goals_are_told_together",
    }


def test_a_preset_that_is_no_name_is_found():
    found = failing_sampler(ask=lambda base, _: base.ask(), presets=("two words",))
    assert found == {"names_itself_and_its_presets"}


# ---- cost sources


class Toy:
    name, title, needs_measurement = "toy", "a toy", False

    def offers(self, target):
        return {ENERGY: Provenance.ANALYTIC}

    def quantity(self, candidates, place):
        return Quantity(1.0 * candidates[place].file_bytes, Provenance.ANALYTIC, "a formula")

    def costs(self, candidates, reference, target):
        return [{ENERGY: self.quantity(candidates, n)} for n in range(len(candidates))]


class Mislabelled(Toy):
    def quantity(self, candidates, place):
        return replace(super().quantity(candidates, place), provenance=Provenance.MEASURED)


class Neighbourly(Toy):
    def quantity(self, candidates, place):
        return Quantity(1.0 * len(candidates), Provenance.ANALYTIC, "a formula")


class Stingy(Toy):
    def costs(self, candidates, reference, target):
        return [{} for _ in candidates]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Toy, set()),
        (
            Mislabelled,
            {
                "gives_what_it_offers_of_what_is_measured",
                "leaves_out_what_it_can_not_tell_of_what_is_not_measured",
            },
        ),
        (Neighbourly, {"a_network_costs_the_same_whoever_is_asked_for_with_it"}),
        (
            Stingy,
            {
                "gives_what_it_offers_of_what_is_measured",
                "leaves_out_what_it_can_not_tell_of_what_is_not_measured",
            },
        ),
    ],
)
def test_a_cost_source_that_breaks_its_word_is_found(kind, found):
    assert failing(CostSourceKit, source=kind()) == found


# ---- executors


class Queue:
    """Sound, but for what derives from it."""

    def __init__(self, crew):
        self.crew, self.waiting = crew, deque()

    def submit(self, job):
        self.waiting.append(job)

    def next_done(self):
        job = self.waiting.popleft()
        if hasattr(job, "target"):
            return self.crew.measure(job)
        self.crew.start(job)
        while (done := self.crew.finished(0.1)) is None:
            pass
        return done


class Twice(Queue):
    """Measures twice, to be sure."""

    def next_done(self):
        done = super().next_done()
        return self.crew.measure(done.job) if hasattr(done.job, "target") else done


QUEUE = deque()


class Shared(Queue):
    """All executors share a queue."""

    def __init__(self, crew):
        self.crew, self.waiting = crew, QUEUE


class Optimist(Queue):
    """Takes a failure for a success."""

    def next_done(self):
        return replace(super().next_done(), error=None)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (Queue, set()),
        (Twice, {"every_job_is_done_once_and_gives_what_the_crew_gives"}),
        (Optimist, {"a_network_that_can_not_be_made_costs_no_other"}),
    ],
)
def test_an_executor_that_breaks_its_word_is_found(make, found):
    assert failing_executor(make) == found


def test_executors_that_share_what_they_have_to_do_are_found():
    assert "one_has_nothing_of_another" in failing_executor(Shared)


def failing_executor(make):
    kind = SimpleNamespace(name="toy", title="a toy", look_ahead=1, make=make)
    return failing(ExecutorKit, kind=kind)


# ---- precisions and techniques


@pytest.mark.tf
def test_a_precision_that_is_another_than_it_says_is_found():
    half = Float32()
    half.weight_bits = 16
    assert failing(PrecisionKit, precision=half) == {"a_weight_takes_as_many_bits_as_it_says"}


class Careless:
    """Halves the biases of dense layers, in place, whatever it is told to do."""

    name, title, training_factor, replaces_following = "X1", "half", 0, False

    def applies_to(self, layer):
        return layer.name == "fc1"

    def choices(self, layer):
        return (LayerChoice(self.name),) if self.applies_to(layer) else ()

    def apply(self, model, layer, choice, samples=None):
        if layer not in {one.name for one in model.layers}:
            raise TechniqueNotApplicable(f"no {layer}")
        for dense in [one for one in model.layers if "fc" in one.name and one.bias is not None]:
            dense.bias.assign(dense.bias / 2)
        return Compressed(model)

    def outline(self, model, layer, choice):
        if layer not in {one.name for one in model.layers}:
            raise TechniqueNotApplicable(f"no {layer}")
        first, *others = model.layers
        return replace(model, layers=(replace(first, weights=first.weights + 1), *others))


@pytest.mark.tf
def test_a_technique_that_breaks_its_word_is_found(monkeypatch):
    import keras

    from adadeep.testing import networks, techniques

    for place in (networks, techniques):  # it changes what it is given
        copy = keras.models.clone_model(networks.trained())
        copy.set_weights(networks.trained().get_weights())
        monkeypatch.setattr(place, "trained", lambda copy=copy: copy)
    assert failing(TechniqueKit, technique=Careless()) == {
        "the_initial_network_is_left_as_it_is",
        "unknown_parameters_are_refused",
        "a_layer_of_another_kind_is_refused",
        "makes_what_it_outlines_and_refuses_what_it_refuses",
    }


# ---- tasks and what they are made of


def toy_data(**changes):
    """24 images to train on, 20 to search with, 10 held back, 10 to test."""
    rng, arrays = np.random.default_rng(0), {}
    for part, count in (("train", 24), ("val", 20), ("held", 10), ("test", 10)):
        arrays[f"x_{part}"] = rng.random((count, 8, 8, 1)).astype(np.float32)
        arrays[f"y_{part}"] = np.arange(count) % 10
    names = tuple("0123456789")
    return replace(Data(**arrays, class_names=names, source="a toy"), **changes)


def failing_data(data):
    data_set = SimpleNamespace(name="toy", title="a toy", split=1, load=lambda: toy_data())
    return failing(DataSetKit, data_set=data_set, data=data)


def test_a_data_set_that_leaks_mislabels_or_changes_is_found():
    sound = toy_data()
    assert failing_data(sound) == set()
    leaked = np.concatenate([sound.x_train[:1], sound.x_test[1:]])
    assert failing_data(replace(sound, x_test=leaked)) == {
        "no_sample_is_in_two_parts",
        "everybody_gets_the_same_split",
    }
    assert failing_data(replace(sound, class_names=tuple("012"))) == {
        "labels_that_are_classes_are_among_the_named_ones"
    }
    few = replace(sound, x_held=sound.x_held[:2], y_held=sound.y_held[:2])
    assert "a_third_of_what_validates_is_held_back" in failing_data(few)


class HalfMetric(Accuracy):
    """Scores outside its range."""

    def scores(self, outputs, labels):
        return super().scores(outputs, labels) * 2


class CurvedMetric(Accuracy):
    """Grades by the others of the batch."""

    def scores(self, outputs, labels):
        best = outputs.max(axis=0)
        return np.asarray(outputs[np.arange(len(labels)), labels] >= best[labels], np.float64)


class FlatteringMetric(Accuracy):
    """Finds that everything agrees."""

    def agreement(self, a, b):
        return 1.0


@pytest.mark.parametrize(
    ("metric", "found"),
    [
        (Accuracy, set()),
        (
            HalfMetric,
            {
                "every_sample_gets_a_score_within_the_range",
                "outputs_that_are_no_numbers_get_scores_too",
            },
        ),
        (CurvedMetric, {"every_sample_gets_a_score_within_the_range"}),
        (FlatteringMetric, {"equal_outputs_agree_and_others_less"}),
    ],
)
def test_a_metric_that_breaks_its_word_is_found(metric, found):
    assert failing(MetricKit, metric=metric(), labels=np.arange(40) % 10) == found


class Unseeded(LeNet):
    """Has the same weights whatever the seed."""

    def build(self, input_shape, classes, seed):
        return super().build(input_shape, classes, 0)


class Peeking(Supervised):
    """Trains on what validates, too, and in an order of its own."""

    __slots__ = ()

    def train(self, made, data, steps, seed, learning_rate):
        both = {
            f"{kind}_train": np.concatenate(
                [getattr(data, f"{kind}_train"), getattr(data, f"{kind}_val")]
            )
            for kind in "xy"
        }
        super().train(made, replace(data, **both), steps, 0, learning_rate)


@pytest.mark.tf
def test_a_network_or_a_recipe_that_breaks_its_word_is_found():
    data = toy_data()
    assert failing(NetworkKit, network=Unseeded(), data=data) == {
        "the_seed_alone_decides_the_weights"
    }
    given = {"data": data, "network": LeNet(), "metric": Accuracy()}
    assert failing(RecipeKit, recipe=Peeking("toy", "a toy", 30, 10), **given) == {
        "the_seed_alone_decides_the_weights",
        "only_the_training_part_is_looked_at",
    }


def test_a_task_whose_parts_are_not_there_is_found():
    task = Task("toy", "a toy", "lenet", "digits", "digits", "luck")
    assert "its_parts_are_there" in failing(TaskKit, task=task, only={"its_parts_are_there"})


# ---- kinds of agents


class Renamed:
    """The agent for Linux under another name, with remedies for what never happens."""

    name, title, priority = "Toy Agent", "a toy", 1
    remedies = MappingProxyType({"bored": "Entertain it."})

    def fits(self, facts, capabilities):
        return "no"

    def prepare(self, transport, deadline, preparing):
        return AGENT_KINDS.get("linux-python").prepare(transport, deadline, preparing)

    def examine(self, transport, deadline):
        return []


@pytest.mark.agent_life
def test_a_kind_of_agent_that_breaks_its_word_is_found(tmp_path):
    transport = LocalTransport(tmp_path)
    ready = Renamed().prepare(transport, Deadline.after(60), Preparing())
    only = {
        "names_itself",
        "its_remedies_are_sentences_for_codes_that_there_are",
        "on_a_device_of_which_nothing_is_known_it_fits_or_says_what_to_do",
        "where_it_can_be_prepared_its_checks_are_well",
        "it_starts_again_and_again_under_the_name_of_its_kind",
    }
    try:
        given = {"kind": Renamed(), "transport": transport, "ready": ready}
        assert failing(AgentKindKit, only, **given) == only
    finally:
        ready.leave(Deadline.after(10))
