import pytest

from adadeep.core.space import NOTHING, build_space
from adadeep.search.greedy import GREEDY
from adadeep.search.moves import initial_decisions
from adadeep.testing.spaces import GAP, MODEL, PRECISIONS, SPACE, SVD, toy_choice
from fakes.worlds import asks, context, scored

INITIAL = initial_decisions(SPACE)
CONV, FC1, FC2, PRECISION = range(4)
L1 = SPACE.actions.index(toy_choice("L1", 0.25))
W12, W6 = (SPACE.actions.index(one) for one in SVD.settings)
L3 = SPACE.actions.index(GAP.settings[0])
FLOAT, INT8 = SPACE.points[-1].options


def wanting(*goal):
    """One for each decision that is wanted, less for others."""
    return lambda plan: sum(0.5 if a == b else -0.25 for a, b in zip(plan, goal, strict=True))


def made(worth):
    """Of a search whose initial network is worth what the others are."""
    return GREEDY.make(context(total=worth(INITIAL)))


def test_each_layer_gets_its_best_choice_given_those_before_and_then_the_precision():
    goal = (L1, W6, NOTHING, INT8)
    asked, reason = asks(made(wanting(*goal)), SPACE, wanting(*goal))
    assert asked == [
        (L1, NOTHING, NOTHING, FLOAT),
        (L1, W12, NOTHING, FLOAT), (L1, W6, NOTHING, FLOAT), (L1, L3, NOTHING, FLOAT),
        (L1, W6, W12, FLOAT), (L1, W6, W6, FLOAT), (L1, W6, L3, FLOAT),
        goal,
    ]  # fmt: skip
    assert reason == "every layer was decided"


def test_nothing_is_as_good_as_a_choice_of_the_same_reward():
    """Wherever the unchanged precision stands among the precisions."""
    space = build_space(MODEL, [SVD], ("int8", "float32", "int4"))
    initial = initial_decisions(space)
    asked, _ = asks(GREEDY.make(context(space)), space)
    assert len(asked) == 2 + 2 + 2
    assert all(sum(a != b for a, b in zip(plan, initial, strict=True)) == 1 for plan in asked)


def test_a_choice_that_replaces_the_later_layers_leaves_the_precision_alone():
    goal = (NOTHING, L3, NOTHING, INT8)
    asked, reason = asks(made(wanting(*goal)), SPACE, wanting(*goal))
    assert asked[-1] == goal
    assert len(asked) == 1 + 3 + 1
    assert reason == "every layer was decided"


def test_it_ends_where_the_best_choice_breaks_a_limit():
    goal = wanting(L1, W12, W12, INT8)

    def worth(plan):
        return goal(plan), 0.2 * (plan[FC1] == W12)

    asked, reason = asks(made(goal), SPACE, worth)
    assert len(asked) == 1 + 3
    assert reason == "the best choice for fc1 breaks a limit"


def test_it_does_not_end_while_a_better_choice_is_open():
    """W12 breaks a limit and is known first; W6, which keeps it, is open then."""
    goal = wanting(L1, W6, W6, INT8)

    def worth(plan):
        return goal(plan) + 0.1 * (plan[FC1] == W12), 0.2 * (plan[FC1] == W12)

    asked, reason = asks(made(goal), SPACE, worth, ahead=3)
    assert (L1, W6, W6, INT8) in asked
    assert reason == "every layer was decided"


def test_limits_that_the_initial_network_breaks_do_not_end_it():
    goal = (L1, W6, NOTHING, INT8)
    sampler = made(wanting(*goal))
    sampler.tell(scored(SPACE.plan(INITIAL), wanting(*goal)(INITIAL), 0.5))
    asked, reason = asks(sampler, SPACE, lambda plan: (wanting(*goal)(plan), 0.5))
    assert asked[-1] == goal
    assert reason == "every layer was decided"


def test_the_initial_network_is_asked_for_where_nobody_knows_it():
    sampler = GREEDY.make(context(build_space(MODEL, [], PRECISIONS)))
    assert sampler.ask().precision == "int8"
    unknown = GREEDY.make(type(context())(SPACE, context().goals))
    assert SPACE.decisions(unknown.ask()) == INITIAL


@pytest.mark.parametrize("ahead", [2, 3, 5])
def test_asks_ahead_lead_to_the_same_end_for_a_few_plans_more(ahead):
    goal = (L1, W6, W12, INT8)
    plain, _ = asks(made(wanting(*goal)), SPACE, wanting(*goal))
    asked, reason = asks(made(wanting(*goal)), SPACE, wanting(*goal), ahead=ahead)
    assert goal in asked
    assert set(plain) <= set(asked)
    assert len(asked) == len(set(asked)) <= len(plain) + 4 * (ahead - 1)
    assert reason == "every layer was decided"


def test_a_plan_that_failed_is_never_the_choice():
    goal = wanting(L1, W6, W6, INT8)

    def worth(plan):
        return (-4.0, None) if plan[CONV] == L1 else goal(plan)

    asked, _ = asks(made(goal), SPACE, worth)
    assert [plan for plan in asked if plan[CONV] == L1] == [(L1, *INITIAL[1:])]
