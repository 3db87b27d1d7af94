import numpy as np

from adadeep.search.features import DecisionFeatures, Group
from adadeep.testing.spaces import LAYERS, MODEL, SPACE
from fakes.search_space import every_list

ALL = DecisionFeatures(SPACE, frozenset(Group))
PLANS = np.array(every_list(SPACE), np.int64)
INITIAL = np.array([[0, 0, 0, SPACE.points[-1].options[0]]])
W12, W6 = (n for n in SPACE.points[1].options if "W1f" in SPACE.actions[n].label)


def of(group):
    return np.flatnonzero(ALL.groups == group)


def test_there_is_a_feature_for_each_choice_layer_and_technique():
    own = sum(len(point.options) - 1 for point in SPACE.points if point.layer)
    counts = [len(of(group)) for group in Group]
    assert counts == [own, 4, 3, 2 * 3, 1, 3]  # W12, W6, L3, L1; W1f, L3, L1; int8; 3 layers


def test_what_changes_nothing_has_the_features_of_its_layers_alone():
    row = ALL.rows(INITIAL)[0]
    assert row[of(Group.LAYER)].tolist() == [1, 1, 1]
    assert row.sum() == 3
    assert not DecisionFeatures(SPACE, frozenset(Group) - {Group.LAYER}).rows(INITIAL).any()


def test_a_technique_counts_by_the_share_of_its_layers():
    plan = INITIAL.copy()
    plan[0, 1], plan[0, 2] = W12, W6
    row = ALL.rows(plan)[0]
    share = row[of(Group.SHARE)]
    _, _, fc1, fc2 = LAYERS
    expected = (fc1.macs + fc2.macs) / MODEL.macs, (fc1.weights + fc2.weights) / MODEL.weights
    np.testing.assert_allclose(share[share > 0], expected)
    assert sorted(row[of(Group.TECHNIQUE)].tolist()) == [0, 0, 2]
    assert sorted(row[of(Group.ACTION)].tolist()) == [0, 0, 1, 1]


def test_rows_tell_all_plans_apart_and_are_sums_over_decisions():
    rows = ALL.rows(PLANS)
    assert len(np.unique(rows, axis=0)) == len(PLANS)
    for plan, row in zip(PLANS[::7], rows[::7], strict=True):
        parts = [ALL.of_decision[place, option] for place, option in enumerate(plan)]
        np.testing.assert_allclose(row, np.sum(parts, axis=0))


def test_tables_are_what_the_rows_make_of_weights():
    weights = np.random.default_rng(0).normal(size=(2, len(ALL.groups)))
    tables = ALL.tables(weights)
    assert tables.shape == (2, len(SPACE.points), len(SPACE.actions))
    summed = tables[:, np.arange(PLANS.shape[1]), PLANS].sum(axis=2)
    np.testing.assert_allclose(summed, weights @ ALL.rows(PLANS).T)


def test_what_is_not_open_at_a_point_has_no_features():
    for place, point in enumerate(SPACE.points):
        closed = sorted(set(range(len(SPACE.actions))) - set(point.options))
        assert not ALL.of_decision[place, closed].any()


def test_of_plans_it_is_told_what_each_decision_adds():
    weights = np.random.default_rng(3).normal(size=len(ALL.groups))
    places = np.arange(PLANS.shape[1])
    expected = ALL.tables(weights[np.newaxis])[0, places, PLANS]
    np.testing.assert_allclose(ALL.of(PLANS).added(weights), expected)
