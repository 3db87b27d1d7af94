"""The kits fail where an entry breaks its contract: a kit that can't fail shows nothing."""

from __future__ import annotations

import inspect
from collections import deque
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from adadeep.convert.precisions.float32 import Float32
from adadeep.core.compressed import Compressed
from adadeep.core.cost import Provenance, Quantity
from adadeep.core.cost_source import ENERGY
from adadeep.core.errors import AdaDeepError, TechniqueNotApplicable
from adadeep.core.plan import LayerChoice
from adadeep.core.search import Stop
from adadeep.search.random_sampler import RandomSampler
from adadeep.testing.cost_sources import CostSourceKit
from adadeep.testing.executors import ExecutorKit
from adadeep.testing.precisions import PrecisionKit
from adadeep.testing.samplers import SamplerKit
from adadeep.testing.techniques import TechniqueKit


def failing(kit, **given):
    """Names of the tests of a kit that an entry does not pass, without "test_"."""
    found = set()
    for name, test in inspect.getmembers(kit(), inspect.ismethod):
        if not name.startswith("test_"):
            continue
        wanted = inspect.signature(test).parameters
        marks = [mark.args for mark in getattr(test, "pytestmark", ())]
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

    assert failing_sampler(ask=by_the_clock) == {"the_same_seed_and_rewards_give_the_same_plans"}
    assert "asks_only_for_plans_of_the_space" in failing_sampler(ask=outside)


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
