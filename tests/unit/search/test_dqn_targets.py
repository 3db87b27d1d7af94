import numpy as np

from adadeep.search.dqn.targets import column_targets, greedy_actions
from adadeep.search.replay import Batch


def floats(rows):
    return np.array(rows, np.float32)


BATCH = Batch(
    states=np.zeros((3, 1), np.float32),
    actions=np.zeros(3, np.int32),
    gains=floats([1.0, 0.0, 0.5]),
    satisfactions=floats([2.0, 0.0, -0.5]),
    next_states=np.zeros((3, 1), np.float32),
    next_masks=np.array([[True, True, False], [True, False, True], [False, False, False]]),
    done=np.array([False, False, True]),
)
ONLINE = (floats([[0, 5, 9], [1, 9, 0], [1, 1, 1]]), floats([[3, 0, 9], [0, 9, 4], [1, 1, 1]]))
TARGET = (floats([[10, 20, 30]] * 3), floats([[1, 2, 3]] * 3))


def test_the_greedy_action_is_the_best_open_one():
    values = floats([[3, 2, 9], [1, 9, 1]])
    masks = np.array([[True, True, False], [True, False, True]])
    assert greedy_actions(values, masks).tolist() == [0, 0]


def test_equation_10_by_hand_with_the_action_of_the_online_and_the_value_of_the_target_network():
    targets = column_targets(BATCH, 0.5, ONLINE, TARGET)
    # Row 0: Q online = [3, 5, closed] -> a' = 1; row 1: [1, closed, 4] -> a' = 2; row 2: the end.
    assert targets.tolist() == [[1 + 10, 2 + 1], [0 + 15, 0 + 1.5], [0.5, -0.5]]
    assert targets.sum(axis=1).tolist() == [14.0, 16.5, 0.0]
