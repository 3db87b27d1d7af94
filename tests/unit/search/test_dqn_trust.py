"""How far what was learned is trusted: as far as it proved itself on demands not taught."""

import numpy as np
import pytest

from adadeep.search.dqn.config import ImaginationConfig
from adadeep.search.dqn.imagination import Imagination
from adadeep.search.dqn.network import QNetwork
from adadeep.search.dqn.trust import SHARES, Trial
from adadeep.search.world import World
from adadeep.testing.spaces import SPACE
from fakes.simulated import Simulated


def examined(*means, spread=0.1, times=1, seed=0, trial=None):
    """The share after examinations in which each share earned so much on average."""
    rng, trial = np.random.default_rng(seed), trial or Trial()
    for _ in range(times):
        found = trial.share_of(np.array(means)[:, np.newaxis] + rng.normal(0, spread, (2, 16)))
    return found


def test_what_earns_more_than_nothing_is_trusted():
    assert examined(0.2, 0.5) == SHARES[1]
    assert examined(0.5, 0.2) == SHARES[0]
    assert examined(0.2, -0.5) == SHARES[0]


def test_what_earns_less_or_the_same_is_not():
    assert examined(-0.2, -0.1) == 0.0
    assert Trial().share_of(np.zeros((2, 16))) == 0.0


def test_luck_is_seldom_taken_for_more():
    trusted = [examined(0.0, 0.0, times=5, seed=seed) > 0 for seed in range(200)]
    assert np.mean(trusted) < 0.35


def test_what_it_was_before_is_forgotten():
    trial = Trial()
    assert examined(0.3, 0.6, times=5, trial=trial) == SHARES[1]
    assert examined(-0.3, -0.6, times=1, trial=trial) == SHARES[1]
    assert examined(-0.3, -0.6, times=8, trial=trial) == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_a_network_that_talks_nonsense_is_not_listened_to(seed):
    truth = Simulated(seed=2)
    world = World(truth.context())
    for row in truth.every_plan()[::3].tolist():
        world.tell(tuple(row), truth.scored(SPACE.plan(row)))
    world.fit()
    mind = Imagination(world, ImaginationConfig(), np.random.default_rng(seed))
    wishes, view = mind.wishes(30, own=0.0), world.mean()
    plain = mind.decided(wishes, view)
    config = ImaginationConfig().network.__class__()  # one that does not start at zero
    mind.weights = QNetwork(mind.episodes.size, len(SPACE.actions), config, seed).weights
    mind.trust = 1.0
    assert (mind.decided(wishes, view) != plain).any()
    mind._examine(view)
    assert mind.trust == 0.0
    np.testing.assert_array_equal(mind.decided(wishes, view), plain)
