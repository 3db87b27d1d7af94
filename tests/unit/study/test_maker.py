"""The initial network's file: written whole or not at all, and read as foreign data."""

import dataclasses
import random

import numpy as np
import pytest

from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.plan import CompressionPlan
from adadeep.training.networks.lenet import LENET
from adadeep.training.tasks import load_task
from fakes.mutations import mutated_bytes

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def task():
    task = load_task("digits")
    return dataclasses.replace(task, recipe=dataclasses.replace(task.recipe, base_steps=2))


def maker(task, path, seed=0, goes_on=True):
    from adadeep.study.maker import KerasMaker

    return KerasMaker(task, path, seed, goes_on=goes_on)


def network(seed=0):
    return LENET.build((8, 8, 1), 10, seed)


def test_a_network_that_was_trained_is_taken_up_again_by_its_own_search_only(task, tmp_path):
    path = tmp_path / "initial.keras"
    first = maker(task, path).make(CompressionPlan())
    assert [file.name for file in tmp_path.iterdir()] == ["initial.keras"]
    kept = path.read_bytes()
    assert maker(task, path, seed=1).make(CompressionPlan()).model == first.model
    assert path.read_bytes() == kept
    other = maker(task, path, seed=1, goes_on=False).make(CompressionPlan())
    assert other.model != first.model
    assert path.read_bytes() != kept


@pytest.mark.parametrize("error", [OSError(28, "No space left"), RuntimeError("errno = 28")])
def test_a_disk_that_is_full_while_the_network_is_saved_is_one_sentence(
    task, tmp_path, monkeypatch, error
):
    import keras

    def save(_, path):
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(keras.Model, "save", save)
    with pytest.raises(ConfigError, match=r"initial\.keras can't be written .*free some space"):
        maker(task, tmp_path / "initial.keras").make(CompressionPlan())
    assert not list(tmp_path.iterdir())


def test_a_damaged_network_is_loaded_whole_or_refused_with_the_remedy(tmp_path):
    from adadeep.study.maker import load_network

    path = tmp_path / "initial.keras"
    network().save(path)
    data, rng = path.read_bytes(), random.Random(0)
    load_network(network(1), path)
    for damage in (data[: len(data) // 2], b"", *(mutated_bytes(data, rng) for _ in range(20))):
        path.write_bytes(damage)
        model = network(1)
        try:
            load_network(model, path)
        except FormatError as error:
            assert "delete it and run the same command again" in str(error)  # noqa: PT017
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_the_network_of_another_task_is_refused(tmp_path):
    from adadeep.study.maker import load_network

    path = tmp_path / "initial.keras"
    LENET.build((28, 28, 1), 10, 0).save(path)
    with pytest.raises(FormatError, match="of another network"):
        load_network(network(), path)
    path.unlink()
    path.mkdir()
    with pytest.raises(FormatError, match="is damaged"):
        load_network(network(), path)
