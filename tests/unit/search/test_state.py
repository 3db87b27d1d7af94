import numpy as np
import pytest

from adadeep.core.demand import UserDemand
from adadeep.search.state import StateEncoder
from adadeep.testing.spaces import SPACE
from fakes.search_space import every_list

ENCODER = StateEncoder(SPACE, [UserDemand()])


def test_every_state_is_a_small_vector_of_the_same_size():
    for decisions in every_list(SPACE):
        for length in range(len(decisions)):
            state = ENCODER.encode(decisions[:length])
            assert state.shape == (ENCODER.size,)
            assert state.dtype == np.float32
            assert np.abs(state).max() <= 2.0


def test_states_tell_apart_what_was_chosen_before():
    states = {ENCODER.encode(d[:3]).tobytes() for d in every_list(SPACE)}
    assert len(states) == len({d[:3] for d in every_list(SPACE)})


@pytest.mark.parametrize(
    "demand",
    [
        UserDemand(max_latency_ms=4.0),
        UserDemand(max_storage_bytes=1e6),
        UserDemand(max_energy_mj=1.0),
        UserDemand(accuracy_weight=0.5),
        UserDemand(max_accuracy_loss=0.1),
    ],
)
def test_the_demand_is_part_of_the_state(demand):
    other = StateEncoder(SPACE, [demand])
    assert other.size == ENCODER.size
    assert not np.array_equal(other.encode(()), ENCODER.encode(()))


def test_of_several_demands_the_state_holds_the_mean():
    one, other = UserDemand(), UserDemand(max_accuracy_loss=0.1)
    both, swapped = (StateEncoder(SPACE, two).encode(()) for two in ([one, other], [other, one]))
    alone = [StateEncoder(SPACE, [demand]).encode(()) for demand in (one, other)]
    assert np.allclose(both, np.mean(alone, axis=0))
    assert np.array_equal(both, swapped)


def test_the_state_after_the_last_decision_is_zero():
    assert not ENCODER.encode((0, 0, 0, SPACE.points[3].options[0])).any()
