"""What networks compute of samples, and what is remembered of it while a plan is applied."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fakes.own_networks import samples, standard
from own.zoo import ZOO

pytestmark = pytest.mark.tf


def tensors(model: Any, every: int = 1) -> list[Any]:
    from adadeep.compress.walk import calls_of

    return [node.outputs[0] for node in calls_of(model)][::every]


def computed(model: Any, wanted: list[Any], x: Any) -> list[np.ndarray]:
    from adadeep.compress.forward import maps_of

    return [np.concatenate(some) for some in zip(*maps_of(model, wanted, x), strict=True)]


def by_keras(model: Any, wanted: list[Any], x: Any) -> list[np.ndarray]:
    import keras

    from adadeep.core.rows import each

    found = keras.Model(list(model.inputs), wanted)(list(each(x)), training=False)
    return [np.asarray(one) for one in keras.tree.flatten(found)]


def counted(monkeypatch: pytest.MonkeyPatch, model: Any) -> list[str]:
    """Names of the layers that are called from now on."""
    called: list[str] = []
    for layer in model.layers:
        original = type(layer).call

        def call(*args: Any, _layer: Any = layer, _call: Any = original, **kwargs: Any) -> Any:
            called.append(_layer.name)
            return _call(_layer, *args, **kwargs)

        monkeypatch.setattr(layer, "call", call)
    return called


@pytest.mark.parametrize("name", ZOO)
def test_every_map_is_what_keras_computes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from adadeep.compress import forward

    monkeypatch.setattr(forward, "_BATCH_BYTES", 1)  # a sample at a time
    model = standard(name)
    x = samples(model, 3)
    wanted = tensors(model, every=3)
    for found, want in zip(computed(model, wanted, x), by_keras(model, wanted, x), strict=True):
        assert found == pytest.approx(want, abs=1e-5)


@pytest.mark.parametrize("name", ["unet", "resnet50", "siamese"])
def test_what_is_remembered_is_not_computed_again(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from adadeep.compress import forward

    model = standard(name)
    x = samples(model, 3)
    middle, end = tensors(model)[len(tensors(model)) // 2], model.outputs[0]
    (wanted,) = by_keras(model, [end], x)
    computed(model, [middle], x)
    called = counted(monkeypatch, model)
    computed(model, [end], x)
    alone = list(called)
    with forward.remembering(x):
        computed(model, [middle], x)
        called.clear()
        (found,) = computed(model, [end], x)
        assert 0 < len(called) < len(alone)
        assert found == pytest.approx(wanted, abs=1e-5)
        other = samples(model, 5)[2:]
        called.clear()
        (found,) = computed(model, [end], other)
        assert called == alone  # of other samples nothing is known
        assert found == pytest.approx(by_keras(model, [end], other)[0], abs=1e-5)
    called.clear()
    computed(model, [end], x)
    assert called == alone


def test_what_has_changed_is_computed_again() -> None:
    import keras
    from keras import layers

    from adadeep.compress import forward

    inputs = keras.Input((4,), name="x")
    first, second = layers.Dense(4, name="first"), layers.Dense(4, name="second")
    model = keras.Model(inputs, layers.Dense(2, name="last")(second(first(inputs))))
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    with forward.remembering(x):
        computed(model, [second.output], x)
        for variable in (first.kernel, second.bias):
            variable.assign_add(np.ones(variable.shape))
            (found,) = computed(model, [model.outputs[0]], x)
            assert found == pytest.approx(np.asarray(model(x)), abs=1e-5)
            computed(model, [second.output], x)


def test_maps_beyond_the_room_for_them_are_computed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from adadeep.compress import forward

    model = standard("unet")
    x = samples(model, 3)
    monkeypatch.setattr(forward, "_REMEMBERED_BYTES", 10_000)
    with forward.remembering(x):
        for tensor in tensors(model, every=4):
            (found,) = computed(model, [tensor], x)
            assert found == pytest.approx(by_keras(model, [tensor], x)[0], abs=1e-5)


def test_of_samples_as_many_are_taken_as_their_largest_map_leaves_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from adadeep.compress import forward

    model = standard("unet")  # 16 by 16, and 16 channels where maps are joined
    x = samples(model, 70)
    assert len(forward.enough(model, x)) == 70
    monkeypatch.setattr(forward, "_LARGEST_BYTES", 60 * 16 * 16 * 16 * 4)
    assert len(forward.enough(model, x)) == 60
    monkeypatch.setattr(forward, "_LARGEST_BYTES", 1)
    assert len(forward.enough(model, x)) == 50
