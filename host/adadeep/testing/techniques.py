"""What every technique does, on LeNet trained on the digits and on a network with branches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from adadeep.compress.names import group_of
from adadeep.convert.precisions.float32 import FLOAT32
from adadeep.core.compressed import Compressed
from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import LayerChoice
from adadeep.core.protocols import Technique
from adadeep.core.reader import require_name
from adadeep.core.rows import each
from adadeep.testing.networks import (
    UNTRAINED,
    digits,
    spec_of,
    trained,
    untrained,
    untrained_spec,
)
from adadeep.training.metrics.accuracy import ACCURACY
from adadeep.training.recipes.digits import DIGITS as RECIPE

REFUSED = "refused"
_WRONG = (("no_such_parameter", 2),)
_MADE: dict[tuple[int, str, LayerChoice], tuple[Technique[Any], Compressed[Any]]] = {}


def initial() -> ModelSpec:
    """What `trained` is."""
    return spec_of(Compressed(trained()))


def made(technique: Technique[Any], layer: str, choice: LayerChoice) -> Compressed[Any]:
    """What a technique makes of `trained`; made once."""
    key = id(technique), layer, choice
    if key not in _MADE:
        new = technique.apply(trained(), layer, choice, digits().x_train[:200])
        _MADE[key] = technique, new  # it is kept, so that its id is
    return _MADE[key][1]


def settings_of(technique: Technique[Any]) -> Iterator[tuple[str, LayerChoice]]:
    """Every layer of `trained`, and every choice that is offered for it."""
    for layer in initial().layers:
        for choice in technique.choices(layer):
            yield layer.name, choice


def outputs_of(model: Any) -> npt.NDArray[np.float32]:
    """For some samples of the digits."""
    return np.asarray(model(digits().x_val[:50], training=False))


def accuracy(model: Any) -> float:
    """On the digits' validation samples."""
    from adadeep.training.fit import outputs_of

    return float(ACCURACY.scores(outputs_of(model, digits().x_val), digits().y_val).mean())


def or_refused(work: Callable[[], Any]) -> Any:
    """What it gives, or `REFUSED` where a technique does not apply."""
    try:
        return work()
    except TechniqueNotApplicable:
        return REFUSED


def assert_as_outlined(outline: Any, made: Any) -> None:
    """An outline, which may be `REFUSED` or None, is what was made."""
    if REFUSED in (outline, made):
        assert outline == made
    elif outline is not None:
        assert outline.layers == spec_of(made).layers
        assert outline == spec_of(made)


class TechniqueKit:
    """The contract of `Technique` in `core/protocols.py`.

    Attributes:
        least_accuracy: of LeNet on the digits (97 % before) with the first choice of the technique
            on the first layer that takes it, after the fine-tuning that it asks for.
        outlines: whether there are choices, wherever it offers some, that it can outline.
    """

    least_accuracy = 0.8
    outlines = True

    @pytest.fixture
    def technique(self) -> Technique[Any]:
        """The technique; to be overridden."""
        raise NotImplementedError

    def test_its_name_is_one_that_plans_may_hold(self, technique: Technique[Any]) -> None:
        require_name("technique", technique.name)
        assert technique.title

    def test_applies_exactly_where_it_offers_choices(self, technique: Technique[Any]) -> None:
        layers = initial().layers
        offered = {layer.name for layer in layers if technique.choices(layer)}
        assert offered, "it applies to no layer of LeNet"
        assert offered == {layer.name for layer in layers if technique.applies_to(layer)}

    def test_every_choice_names_its_technique_and_is_offered_once(
        self, technique: Technique[Any]
    ) -> None:
        for layer in initial().layers:
            choices = technique.choices(layer)
            assert all(choice.technique == technique.name for choice in choices)
            assert len(set(choices)) == len(choices)

    def test_input_and_output_keep_their_shape(self, technique: Technique[Any]) -> None:
        for layer, choice in settings_of(technique):
            model = made(technique, layer, choice).network
            assert model.input_shape == trained().input_shape
            assert model.output_shape == trained().output_shape

    def test_the_initial_network_is_left_as_it_is(self, technique: Technique[Any]) -> None:
        before, config = _weights_of(trained()), trained().to_json()
        for layer, choice in settings_of(technique):
            model = technique.apply(trained(), layer, choice).network
            for variable in model.trainable_variables:
                variable.assign(variable + 1.0)
        assert trained().to_json() == config
        assert all(map(np.array_equal, before, _weights_of(trained())))

    def test_new_layers_say_which_layer_they_came_from(self, technique: Technique[Any]) -> None:
        known = {layer.name for layer in initial().layers} | {"input"}
        for layer, choice in settings_of(technique):
            network = made(technique, layer, choice).network
            assert {group_of(one.name) for one in network.layers} <= known

    def test_costs_no_more(self, technique: Technique[Any]) -> None:
        for layer, choice in settings_of(technique):
            spec = spec_of(made(technique, layer, choice))
            assert spec.weights <= initial().weights
            assert spec.macs <= initial().macs

    def test_unknown_parameters_are_refused(self, technique: Technique[Any]) -> None:
        layer, _ = next(settings_of(technique))
        with pytest.raises(TechniqueNotApplicable, match="no_such_parameter"):
            technique.apply(trained(), layer, LayerChoice(technique.name, _WRONG))

    def test_a_layer_of_another_kind_is_refused(self, technique: Technique[Any]) -> None:
        for layer in initial().layers:
            weightless = layer.kind in (LayerKind.POOL, LayerKind.RESHAPE)
            if weightless and not technique.applies_to(layer):
                with pytest.raises(TechniqueNotApplicable, match=layer.name):
                    technique.apply(trained(), layer.name, LayerChoice(technique.name))

    def test_a_layer_that_is_not_there_is_named(self, technique: Technique[Any]) -> None:
        choice = LayerChoice(technique.name)
        with pytest.raises(TechniqueNotApplicable, match="conv9"):
            technique.apply(trained(), "conv9", choice)
        with pytest.raises(TechniqueNotApplicable, match="conv9"):
            technique.outline(initial(), "conv9", choice)

    def test_converts_and_computes_the_same_as_keras(self, technique: Technique[Any]) -> None:
        from adadeep.convert.tflite import convert
        from adadeep.convert.verify import max_difference, run_tflite

        layer, choice = list(settings_of(technique))[-1]
        new = made(technique, layer, choice)
        tflite = convert(new.network, FLOAT32, None, new.stores_sparse)
        [outputs] = each(run_tflite(tflite, digits().x_val[:50]))
        assert np.isfinite(outputs).all()
        assert max_difference(outputs, outputs_of(new.network)) < 1e-4

    def test_is_accurate_after_a_short_fine_tuning(self, technique: Technique[Any]) -> None:
        layer, choice = next(settings_of(technique))
        new = technique.apply(trained(), layer, choice, digits().x_train[:200])
        steps = RECIPE.fine_tune_steps * technique.training_factor
        RECIPE.train(new, digits(), steps, 1, RECIPE.fine_tune_rate)
        assert accuracy(new.network) > self.least_accuracy

    def test_what_a_hook_does_not_keep_is_zero_and_stays_so(
        self, technique: Technique[Any]
    ) -> None:
        last = dict(settings_of(technique))  # of each layer; training takes its time
        for layer, choice in settings_of(technique):
            new = technique.apply(trained(), layer, choice)
            assert set(new.hooks) <= {one.name for one in new.network.layers}
            if new.hooks and choice == last[layer]:
                RECIPE.train(new, digits(), 2, 0, RECIPE.base_rate)
            for name, hook in new.hooks.items():
                kernel = np.asarray(new.network.get_layer(name).kernel)
                assert hook.kept is None or not kernel[~hook.kept].any()

    @pytest.mark.parametrize("name", list(UNTRAINED))
    def test_makes_what_it_outlines_and_refuses_what_it_refuses(
        self, technique: Technique[Any], name: str
    ) -> None:
        spec, compared = untrained_spec(name), 0
        for layer in spec.layers:
            for choice in _tried(technique, layer):
                outline = or_refused(lambda: technique.outline(spec, layer.name, choice))  # noqa: B023
                network = or_refused(
                    lambda: technique.apply(untrained(name), layer.name, choice)  # noqa: B023
                )
                assert_as_outlined(outline, network)
                compared += isinstance(outline, ModelSpec)
        offers = any(technique.choices(layer) for layer in spec.layers)
        assert compared or not (offers and self.outlines), "it outlines nothing"


def _tried(technique: Technique[Any], layer: LayerSpec) -> Iterator[LayerChoice]:
    """All choices that there are, or what no layer without any takes; and a wrong one."""
    yield from technique.choices(layer) or [LayerChoice(technique.name)]
    yield LayerChoice(technique.name, _WRONG)


def _weights_of(model: Any) -> list[npt.NDArray[Any]]:
    return [np.array(weight) for weight in model.get_weights()]
