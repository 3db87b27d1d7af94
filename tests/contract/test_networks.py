"""Every network keeps the promises of `core.task`, on the data of a task that uses it."""

from __future__ import annotations

import pytest

from adadeep.core.task import Data, Network
from adadeep.testing.task_parts import NetworkKit
from adadeep.training.registry import NETWORKS
from fakes.task_parts import data_of, task_with

pytestmark = pytest.mark.tf


class TestNetwork(NetworkKit):
    @pytest.fixture(params=list(NETWORKS))
    def network(self, request: pytest.FixtureRequest) -> Network:
        return NETWORKS.get(request.param)

    @pytest.fixture
    def data(self, network: Network) -> Data:
        return data_of(task_with("network", network.name).data_set)

    def test_it_has_the_name_that_it_is_registered_by(self, network: Network) -> None:
        assert NETWORKS.get(network.name) is network
