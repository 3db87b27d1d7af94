import numpy as np

from adadeep.search.dqn.weights import QWeights


def dense(kernel, bias):
    return np.array(kernel, np.float32), np.array(bias, np.float32)


WEIGHTS = QWeights(
    trunk=(dense([[1, -1], [0, 1]], [0, 0]),),
    gain=(dense([[2], [1]], [0]), dense([[1, -1]], [0.5, 0])),
    satisfaction=(dense([[1], [1]], [-1]), dense([[3, 0]], [0, 1])),
)


def test_the_columns_by_hand_over_a_shared_trunk():
    gain, satisfaction = WEIGHTS.columns(np.array([[1, 3], [-1, -2]], np.float32))
    # trunk: relu([1, -1+3]) = [1, 2]; relu([-1, 1-2]) = [0, 0]
    assert gain.tolist() == [[4.5, -4.0], [0.5, 0.0]]
    assert satisfaction.tolist() == [[6.0, 1.0], [0.0, 1.0]]


def test_q_is_the_sum_of_gain_and_satisfaction():
    states = np.array([[0.3, 0.7], [2, -1]], np.float32)
    gain, satisfaction = WEIGHTS.columns(states)
    np.testing.assert_allclose(WEIGHTS.values(states), gain + satisfaction, rtol=1e-6)


def test_rows_do_not_depend_on_how_many_there_are():
    states = np.random.default_rng(0).normal(size=(75, 2)).astype(np.float32)
    alone = [WEIGHTS.columns(states[row : row + 1]) for row in range(75)]
    for together, column in zip(WEIGHTS.columns(states), zip(*alone, strict=True), strict=True):
        np.testing.assert_allclose(together, np.concatenate(column), rtol=1e-5, atol=1e-6)
