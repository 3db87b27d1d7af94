import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adadeep.search.replay import Batch, ReplayMemory, Transition


def transition(number):
    return Transition(
        state=np.full(2, number, np.float32),
        action=number,
        gain=float(number),
        satisfaction=-float(number),
        next_state=np.full(2, number + 0.5, np.float32),
        next_mask=np.array([True, False, number % 2 == 0]),
        done=number % 3 == 0,
    )


def filled(capacity, count):
    memory = ReplayMemory(capacity, 2, 3)
    for number in range(count):
        memory.add(transition(number))
    return memory


@given(st.integers(1, 7), st.integers(1, 25))
def test_keeps_the_last_ones_and_only_those(capacity, count):
    memory = filled(capacity, count)
    batch = memory.sample(200, np.random.default_rng(0))
    kept = set(range(max(count - capacity, 0), count))
    assert len(memory) == len(kept)
    assert set(batch.actions.tolist()) <= kept
    if len(kept) <= 4:
        assert set(batch.actions.tolist()) == kept


def test_the_parts_of_a_transition_stay_together():
    batch = filled(5, 12).sample(50, np.random.default_rng(1))
    for row, number in enumerate(batch.actions.tolist()):
        expected = transition(number)
        assert batch.states[row].tolist() == expected.state.tolist()
        assert batch.next_states[row].tolist() == expected.next_state.tolist()
        assert batch.next_masks[row].tolist() == expected.next_mask.tolist()
        assert batch.gains[row] == -batch.satisfactions[row] == expected.gain
        assert batch.done[row] == expected.done


def test_draws_are_those_of_the_generator():
    memory = filled(9, 9)
    one, other = (memory.sample(20, np.random.default_rng(7)) for _ in range(2))
    assert one.actions.tolist() == other.actions.tolist()


def test_an_empty_memory_gives_nothing():
    with pytest.raises(ValueError, match="empty"):
        ReplayMemory(3, 2, 3).sample(1, np.random.default_rng(0))


def batch_of(numbers):
    rows = [transition(number) for number in numbers]
    return Batch(
        states=np.stack([row.state for row in rows]),
        actions=np.array([row.action for row in rows], np.int32),
        gains=np.array([row.gain for row in rows], np.float32),
        satisfactions=np.array([row.satisfaction for row in rows], np.float32),
        next_states=np.stack([row.next_state for row in rows]),
        next_masks=np.stack([row.next_mask for row in rows]),
        done=np.array([row.done for row in rows]),
    )


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8))
def test_many_at_once_are_kept_as_one_after_the_other_are(counts):
    """Around the end of the ring, too: it has 7 places."""
    one, other = ReplayMemory(7, 2, 3), ReplayMemory(7, 2, 3)
    number = 0
    for count in counts:
        one.extend(batch_of(range(number, number + count)))
        for single in range(number, number + count):
            other.add(transition(single))
        number += count
    assert len(one) == len(other)
    drawn, same = (memory.sample(60, np.random.default_rng(3)) for memory in (one, other))
    for name in (
        "states",
        "actions",
        "gains",
        "satisfactions",
        "next_states",
        "next_masks",
        "done",
    ):
        np.testing.assert_array_equal(getattr(drawn, name), getattr(same, name))
