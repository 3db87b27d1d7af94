from adadeep.core.space import build_space
from adadeep.search.pairs import PAIRS, all_pairs
from adadeep.testing.spaces import DENSE, FIRE, GAP, MODEL, PRECISIONS, SPACE, SVD, ToyTechnique
from fakes.worlds import asks, context, scored


def labels(space):
    return [space.plan(plan).label for plan in all_pairs(space)]


def test_every_choice_for_convolutions_goes_with_every_one_for_dense_layers():
    pairs = [
        "conv:L1(value=0.25) fc1:W1f(value=12) fc2:W1f(value=12)",
        "conv:L1(value=0.25) fc1:W1f(value=6) fc2:W1f(value=6)",
        "conv:L1(value=0.25) fc1:L3",
    ]
    assert labels(SPACE) == [*pairs, *(f"{pair} int8" for pair in pairs)]


def test_a_technique_for_both_kinds_of_layers_makes_pairs_with_itself():
    both = ToyTechnique("B", DENSE, FIRE.settings)
    both.applies_to = lambda layer: layer.kind in (DENSE, FIRE.kind)
    found = labels(build_space(MODEL, [both, GAP], ()))
    ratio = "L1(value=0.25)"
    assert found == [f"conv:{ratio} fc1:{ratio} fc2:{ratio}", f"conv:{ratio} fc1:L3"]


def test_where_one_kind_of_layer_has_no_choice_the_other_is_tried_alone():
    assert labels(build_space(MODEL, [FIRE], ())) == ["conv:L1(value=0.25)"]
    assert labels(build_space(MODEL, [GAP], PRECISIONS)) == ["fc1:L3", "fc1:L3 int8"]
    assert labels(build_space(MODEL, [], PRECISIONS)) == ["initial", "int8"]


def test_it_asks_for_each_once_and_stops():
    asked, reason = asks(PAIRS.make(context()), SPACE, ahead=3)
    assert asked == all_pairs(SPACE)
    assert reason == "every pair of techniques was tried"


def test_what_is_known_is_left_out():
    sampler = PAIRS.make(context())
    first, second, *others = all_pairs(SPACE)
    sampler.tell(scored(SPACE.plan(second), 0.5))
    assert asks(sampler, SPACE)[0] == [first, *others]
    space = build_space(MODEL, [SVD], ())
    assert all(any(plan) for plan in asks(PAIRS.make(context(space)), space)[0])
