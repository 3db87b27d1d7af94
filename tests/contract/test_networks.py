"""The contract of every network: built for its data from its seed, and fit to be compressed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adadeep.compress.names import group_of
from adadeep.core.task import Network
from adadeep.training.registry import NETWORKS
from fakes.task_parts import data_of, task_with

pytestmark = pytest.mark.tf


@pytest.fixture(params=list(NETWORKS))
def network(request: pytest.FixtureRequest) -> Network:
    return NETWORKS.get(request.param)


def built(network: Network, seed: int = 0) -> Any:
    data = data_of(task_with("network", network.name).data_set)
    return network.build(data.input_shape, data.classes, seed)


def test_a_network_has_the_name_that_it_is_registered_by(network: Network) -> None:
    assert NETWORKS.get(network.name) is network
    assert network.title


def test_takes_a_sample_and_gives_a_number_for_each_class(network: Network) -> None:
    data = data_of(task_with("network", network.name).data_set)
    model = built(network)
    outputs = np.asarray(model(data.x_val[:3], training=False))
    assert model.input_shape == (None, *data.input_shape)
    assert outputs.shape == (3, data.classes)
    assert np.isfinite(outputs).all()


def test_the_seed_alone_decides_the_weights(network: Network) -> None:
    first, second, other = (built(network, seed).get_weights() for seed in (5, 5, 6))
    assert all(map(np.array_equal, first, second))
    assert not all(map(np.array_equal, first, other))


def test_its_costs_are_counted_and_its_layers_named_as_initial_ones(network: Network) -> None:
    from adadeep.compress.describe import model_spec

    model = built(network)
    spec = model_spec(model, network.title)
    assert spec.weights == model.count_params()
    assert spec.macs > 0
    assert all(group_of(layer.name) == layer.name for layer in spec.layers)
