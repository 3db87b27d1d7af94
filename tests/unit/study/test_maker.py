"""The maker of networks: the initial one's file is whole or not at all, and read as foreign."""

import dataclasses
import random

import numpy as np
import pytest

from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.storage.records import content_key
from adadeep.storage.siblings import OtherInitial
from adadeep.study.worker_messages import OpenTask, Sample
from adadeep.training import tasks
from adadeep.training.networks.lenet import LENET
from fakes.mutations import mutated

pytestmark = pytest.mark.tf
INITIAL = CompressionPlan()
SVD = CompressionPlan((("fc1", LayerChoice("W1f")),), "int8")


@pytest.fixture(autouse=True)
def short_task(monkeypatch):
    """The task `digits` with hardly any training."""
    from adadeep.study import opening

    task = tasks.load_task("digits")
    recipe = dataclasses.replace(task.recipe, base_steps=2, fine_tune_steps=1)
    task = dataclasses.replace(task, recipe=recipe)
    monkeypatch.setattr(opening, "load_task", lambda name: task)
    return task


def opened(folder, seed=0, goes_on=True, others=()):
    from adadeep.study.maker import KerasMaker

    folder.mkdir(exist_ok=True)
    path = str(folder / "initial.keras")
    request = OpenTask("digits", seed, path, goes_on, tuple(others))
    return KerasMaker.open(request, lambda text: None)


def model_bytes(maker, folder, plan=INITIAL):
    from pathlib import Path

    return Path(maker.make(plan, str(folder)).model).read_bytes()


def network(seed=0):
    return LENET.build((8, 8, 1), 10, seed)


def test_what_a_fine_tuning_takes_is_told_by_the_one_training_that_there_was(tmp_path, short_task):
    from adadeep.study.opening import expected_fine_tuning_s

    first, again = opened(tmp_path), opened(tmp_path)
    assert 0 < first.start.fine_tuning_s < 60
    assert again.start.fine_tuning_s is None
    recipe = dataclasses.replace(short_task.recipe, base_steps=200, fine_tune_steps=40)
    assert expected_fine_tuning_s(102.0, recipe) == pytest.approx(2 + 20)
    assert expected_fine_tuning_s(1.0, recipe) == pytest.approx(0.5 + 0.1)


def test_a_network_that_was_trained_is_taken_up_again_by_its_own_search_only(tmp_path):
    path, models = tmp_path / "initial.keras", tmp_path / "models"
    models.mkdir()
    first = opened(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"initial.keras", "models"}
    kept, model = path.read_bytes(), model_bytes(first, models)
    again = opened(tmp_path, seed=1)
    assert model_bytes(again, models) == model
    assert path.read_bytes() == kept
    other = opened(tmp_path, seed=1, goes_on=False)
    assert model_bytes(other, models) != model
    assert path.read_bytes() != kept


def test_what_networks_depend_on_besides_their_plan_is_in_the_basis(tmp_path):
    first = opened(tmp_path)
    assert opened(tmp_path).basis == first.basis
    assert opened(tmp_path, seed=1).basis != first.basis
    assert opened(tmp_path, goes_on=False, seed=2).basis != first.basis


def test_the_initial_network_of_another_run_is_taken_where_training_would_give_it(tmp_path):
    first = opened(tmp_path / "first")
    path = tmp_path / "first" / "initial.keras"
    whole = OtherInitial(str(path), content_key(first.basis, INITIAL))
    (tmp_path / "damaged.keras").write_bytes(path.read_bytes()[:-100])
    others = [
        dataclasses.replace(whole, path=str(tmp_path / "damaged.keras")),
        dataclasses.replace(whole, path=str(tmp_path / "none.keras")),
        dataclasses.replace(whole, key="0" * 16),
    ]
    second = opened(tmp_path / "second", others=[*others, whole])
    assert (second.start.taken, second.start.fine_tuning_s) == (str(path), None)
    assert second.basis == first.basis
    assert opened(tmp_path / "second").basis == first.basis  # it was saved
    for seed, none in ((0, others), (1, [*others, whole])):
        trained = opened(tmp_path / f"trained-{seed}", seed=seed, others=none)
        assert trained.start.taken is None
        assert trained.start.fine_tuning_s
        assert trained.basis == opened(tmp_path / f"alone-{seed}", seed=seed).basis


def test_a_made_network_is_left_beside_the_others_until_the_host_takes_it_over(tmp_path):
    maker = opened(tmp_path)
    made = maker.make(SVD, str(tmp_path))
    assert made.model.endswith(f".part.{SVD.key}.tflite")
    assert made.network.endswith(f".part.{SVD.key}.keras")
    assert made.spec.layers[0].weight_bits == 8
    assert {layer.group for layer in made.spec.layers if "__" in layer.name} == {"fc1"}
    assert maker.make(INITIAL, str(tmp_path)).network is None
    assert maker.judge(made.model, "held").count == len(maker._task.data.x_held)


def test_an_initial_network_that_guesses_is_said_to_and_no_other(tmp_path):
    maker = opened(tmp_path)
    (note,) = maker.make(INITIAL, str(tmp_path)).notes  # two steps have taught it nothing
    assert "the initial network is no better than guessing" in note
    assert maker.make(SVD, str(tmp_path)).notes == ()


@pytest.mark.parametrize("module", ["opening", "maker"])
def test_memory_is_asked_for_before_anything_is_trained(tmp_path, monkeypatch, short_task, module):
    from adadeep.study import maker as maker_module
    from adadeep.study import opening

    def full(model):
        raise ConfigError("4 GB are free.")

    def make():
        opened(tmp_path).make(SVD, str(tmp_path))

    if module == "maker":
        opened(tmp_path)  # trained, and there
    recipe = dataclasses.replace(short_task.recipe, base_steps=None, fine_tune_steps=None)
    task = dataclasses.replace(short_task, recipe=recipe)  # who trains by that, fails
    monkeypatch.setattr(opening, "load_task", lambda name: task)
    monkeypatch.setattr({"opening": opening, "maker": maker_module}[module], "require_room", full)
    with pytest.raises(ConfigError, match="4 GB are free"):
        make()


def test_samples_hold_inputs_labels_and_what_models_give(tmp_path):
    maker = opened(tmp_path)
    made = maker.make(INITIAL, str(tmp_path))
    sampled = maker.sample(Sample({"mine": made.model}, 5, str(tmp_path)))
    with np.load(sampled.path, allow_pickle=False) as members:
        assert sorted(members) == ["inputs", "labels", "mine"]
        assert members["mine"].shape == (5, 10)


@pytest.mark.parametrize("error", [OSError(28, "No space left"), RuntimeError("errno = 28")])
def test_a_disk_that_is_full_while_the_network_is_saved_is_one_sentence(
    tmp_path, monkeypatch, error
):
    import keras

    def save(_, path):
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(keras.Model, "save", save)
    with pytest.raises(ConfigError, match=r"initial\.keras can't be written .*free some space"):
        opened(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_damaged_network_is_loaded_whole_or_refused_with_the_remedy(tmp_path):
    from adadeep.study.opening import load_network

    path = tmp_path / "initial.keras"
    network().save(path)
    data, rng = path.read_bytes(), random.Random(0)
    load_network(network(1), path)
    for damage in (data[: len(data) // 2], b"", *(mutated(data, rng) for _ in range(20))):
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
    from adadeep.study.opening import load_network

    path = tmp_path / "initial.keras"
    LENET.build((28, 28, 1), 10, 0).save(path)
    with pytest.raises(FormatError, match="of another network"):
        load_network(network(), path)
    path.unlink()
    path.mkdir()
    with pytest.raises(FormatError, match="is damaged"):
        load_network(network(), path)
