"""What every network, data set, recipe, metric and task does."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from adadeep.compress.names import group_of
from adadeep.core.compressed import Compressed
from adadeep.core.metric import Metric, Scale
from adadeep.core.reader import require_name
from adadeep.core.scores import judged
from adadeep.core.task import Data, DataSet, Network, Recipe, Task
from adadeep.training.registry import DATA_SETS, METRICS, NETWORKS, RECIPES

PARTS = ("train", "val", "held", "test")
Array = npt.NDArray[Any]


def few(data: Data, count: int = 64) -> Data:
    """The first samples of each part."""
    arrays = [field.name for field in fields(data) if field.name[:2] in ("x_", "y_")]
    return replace(data, **{name: getattr(data, name)[:count] for name in arrays})


def samples(data: Data, part: str) -> tuple[Array, Array]:
    """Of one of `PARTS`, and their labels."""
    return getattr(data, f"x_{part}"), getattr(data, f"y_{part}")


class DataSetKit:
    """The contract of `DataSet` in `core/task.py`: four parts that share nothing."""

    @pytest.fixture
    def data_set(self) -> DataSet:
        """The data set; to be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def data(self, data_set: DataSet) -> Data:
        """Its data; to be overridden where loading takes long."""
        return data_set.load()

    def test_names_itself_and_its_split(self, data_set: DataSet) -> None:
        require_name("data set", data_set.name)
        assert data_set.title
        assert isinstance(data_set.split, int)

    def test_every_sample_is_finite_of_one_shape_and_has_a_label(self, data: Data) -> None:
        for part in PARTS:
            x, y = samples(data, part)
            assert len(x) == len(y) > 0
            assert x.dtype == np.float32
            assert x.shape[1:] == data.input_shape
            assert np.isfinite(x).all()
        assert data.source

    def test_labels_that_are_classes_are_among_the_named_ones(self, data: Data) -> None:
        assert data.classes == len(set(data.class_names)) > 0
        for part in PARTS:
            _, y = samples(data, part)
            if y.dtype.kind in "iu":
                assert 0 <= y.min() <= y.max() < data.classes

    def test_no_sample_is_in_two_parts(self, data: Data) -> None:
        seen: dict[bytes, str] = {}
        for part in PARTS:
            for sample in samples(data, part)[0]:
                assert seen.setdefault(sample.tobytes(), part) == part

    def test_a_third_of_what_validates_is_held_back(self, data: Data) -> None:
        validating = len(data.x_held) + len(data.x_val)
        assert len(data.x_held) / validating == pytest.approx(1 / 3, abs=0.01)

    def test_everybody_gets_the_same_split(self, data_set: DataSet, data: Data) -> None:
        again = data_set.load()
        for part in PARTS:
            pairs = zip(samples(data, part), samples(again, part), strict=True)
            assert all(np.array_equal(first, second) for first, second in pairs)


class NetworkKit:
    """The contract of `Network` in `core/task.py`: built from its seed, fit to be compressed."""

    @pytest.fixture
    def network(self) -> Network:
        """The network; to be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def data(self) -> Data:
        """Data that it takes; to be overridden."""
        raise NotImplementedError

    def test_names_itself(self, network: Network) -> None:
        require_name("network", network.name)
        assert network.title

    def test_takes_a_sample_and_gives_a_number_for_each_class(
        self, network: Network, data: Data
    ) -> None:
        model = _built(network, data)
        outputs = np.asarray(model(data.x_val[:3], training=False))
        assert model.input_shape == (None, *data.input_shape)
        assert outputs.shape == (3, data.classes)
        assert np.isfinite(outputs).all()

    def test_the_seed_alone_decides_the_weights(self, network: Network, data: Data) -> None:
        first, second, other = (_built(network, data, seed).get_weights() for seed in (5, 5, 6))
        assert all(map(np.array_equal, first, second))
        assert not all(map(np.array_equal, first, other))

    def test_its_costs_are_counted_and_its_layers_named_as_initial_ones(
        self, network: Network, data: Data
    ) -> None:
        from adadeep.compress.describe import model_spec

        model = _built(network, data)
        spec = model_spec(model, network.title)
        assert spec.weights == model.count_params()
        assert spec.macs > 0
        assert all(group_of(layer.name) == layer.name for layer in spec.layers)


class RecipeKit:
    """The contract of `Recipe` in `core/task.py`: it learns from the training data alone."""

    @pytest.fixture
    def recipe(self) -> Recipe:
        """The recipe; to be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def data(self) -> Data:
        """Data that it is made for, a few; to be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def network(self) -> Network:
        """A network for these data; to be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def metric(self) -> Metric:
        """What is to get better; to be overridden."""
        raise NotImplementedError

    def test_names_itself(self, recipe: Recipe) -> None:
        require_name("recipe", recipe.name)
        assert recipe.title

    def test_its_numbers_can_be(self, recipe: Recipe) -> None:
        assert 0 < recipe.fine_tune_steps <= recipe.base_steps
        assert recipe.batch_size > 0
        assert 0 < recipe.fine_tune_rate <= recipe.base_rate < 1

    def test_it_fits_what_it_is_shown(
        self, recipe: Recipe, network: Network, data: Data, metric: Metric
    ) -> None:
        sign = 1 if metric.higher_is_better else -1
        before, after = (
            judged(metric, np.asarray(model(data.x_train, training=False)), data.y_train).quality
            for model in (_trained(recipe, network, data, steps) for steps in (0, 30))
        )
        assert sign * after > sign * before

    def test_the_seed_alone_decides_the_weights(
        self, recipe: Recipe, network: Network, data: Data
    ) -> None:
        first, second, other = (
            _trained(recipe, network, data, 3, seed).get_weights() for seed in (7, 7, 8)
        )
        assert all(map(np.array_equal, first, second))
        assert not all(map(np.array_equal, first, other))

    def test_no_steps_change_nothing(self, recipe: Recipe, network: Network, data: Data) -> None:
        untrained = _built(network, data).get_weights()
        after = _trained(recipe, network, data, 0).get_weights()
        assert all(map(np.array_equal, untrained, after))

    def test_only_the_training_part_is_looked_at(
        self, recipe: Recipe, network: Network, data: Data
    ) -> None:
        others: dict[str, Any] = {
            f"{kind}_{part}": np.empty(0) for kind in "xy" for part in PARTS[1:]
        }
        blind = replace(data, **others)
        first, second = (
            _trained(recipe, network, seen, 2).get_weights() for seen in (data, blind)
        )
        assert all(map(np.array_equal, first, second))


class MetricKit:
    """The contract of `Metric` in `core/metric.py`: scores in its range whatever the outputs."""

    @pytest.fixture
    def metric(self) -> Metric:
        """The metric; to be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def labels(self) -> Array:
        """Labels of at least ten samples, as a data set has them; to be overridden."""
        raise NotImplementedError

    def outputs(self, labels: Array, seed: int) -> Array:
        """Some of a network; here those of a softmax of as many classes as the labels name."""
        shape = len(labels), int(labels.max()) + 1
        raw = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
        return np.asarray(np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True))

    def test_what_its_numbers_mean_can_be_kept(self, metric: Metric) -> None:
        scale = Scale.of(metric)
        assert scale.name == metric.name
        assert scale.loss(scale.best, scale.worsened(scale.best, 1.0)) == 1.0
        assert 0 < metric.least_agreement <= 1

    def test_every_sample_gets_a_score_within_the_range(
        self, metric: Metric, labels: Array
    ) -> None:
        given = self.outputs(labels, 0)
        scores = judged(metric, given, labels)
        assert scores.count == len(labels)
        assert scores.is_binary == metric.is_binary
        alone = [judged(metric, given[n : n + 1], labels[n : n + 1]).array[0] for n in range(5)]
        assert scores.array[:5].tolist() == pytest.approx(alone)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
    def test_outputs_that_are_no_numbers_get_scores_too(
        self, metric: Metric, labels: Array, value: float
    ) -> None:
        broken = np.full_like(self.outputs(labels, 0), value)
        assert np.isfinite(judged(metric, broken, labels).quality)

    def test_equal_outputs_agree_and_others_less(self, metric: Metric, labels: Array) -> None:
        first, second = self.outputs(labels, 0), self.outputs(labels, 1)
        assert metric.agreement(first, first) == 1.0
        assert 0 <= metric.agreement(first, second) < metric.least_agreement


class TaskKit:
    """The contract of `Task` in `core/task.py`: the parts that it names go together.

    They must be registered: in a package of one's own, installed.
    """

    @pytest.fixture
    def task(self) -> Task:
        """The task; to be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def data(self, task: Task) -> Data:
        """Its data, or a few of them; to be overridden where loading takes long."""
        return DATA_SETS.get(task.data_set).load()

    def test_names_itself(self, task: Task) -> None:
        require_name("task", task.name)
        assert task.title

    def test_its_parts_are_there(self, task: Task) -> None:
        assert task.network in NETWORKS
        assert task.data_set in DATA_SETS
        assert task.recipe in RECIPES
        assert task.metric in METRICS

    def test_its_network_is_trained_and_judged(self, task: Task, data: Data) -> None:
        data = few(data)
        model = _built(NETWORKS.get(task.network), data)
        recipe = RECIPES.get(task.recipe)
        recipe.train(Compressed(model), data, 1, 0, recipe.base_rate)
        outputs = np.asarray(model(data.x_val, training=False))
        assert judged(METRICS.get(task.metric), outputs, data.y_val).count == len(data.x_val)


def _built(network: Network, data: Data, seed: int = 0) -> Any:
    return network.build(data.input_shape, data.classes, seed)


def _trained(recipe: Recipe, network: Network, data: Data, steps: int, seed: int = 0) -> Any:
    model = _built(network, data)
    recipe.train(Compressed(model), data, steps, seed, recipe.base_rate)
    return model
