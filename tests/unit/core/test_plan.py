import pytest
from hypothesis import given
from hypothesis import strategies as st

from adadeep.core.plan import CompressionPlan, LayerChoice

W1F = LayerChoice("W1f", (("rank_divisor", 12),))
choices = st.builds(
    LayerChoice,
    st.sampled_from(["none", "W1f", "W3", "C2"]),
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=2, unique_by=lambda p: p[0]
    ).map(tuple),
)
layers = st.lists(
    st.tuples(st.sampled_from(["c1", "c2", "f1"]), choices), unique_by=lambda p: p[0]
)


@given(layers, st.randoms())
def test_order_and_untouched_layers_make_no_other_plan(pairs, random):
    shuffled = list(pairs)
    random.shuffle(shuffled)
    plan, other = CompressionPlan(tuple(pairs)), CompressionPlan(tuple(shuffled))
    assert plan == other
    assert plan.key == other.key
    assert all(choice.technique != "none" for _, choice in plan.choices)


def test_plans_that_differ_have_different_keys():
    plans = [
        CompressionPlan(),
        CompressionPlan(precision="int8"),
        CompressionPlan((("fc1", W1F),)),
        CompressionPlan((("fc2", W1F),)),
        CompressionPlan((("fc1", LayerChoice("W1f", (("rank_divisor", 6),))),)),
    ]
    assert len({plan.key for plan in plans}) == len(plans)


def test_the_canonical_text_does_not_change_between_versions():
    plan = CompressionPlan((("fc1", W1F),), "int8")
    text = '{"layers":{"fc1":{"rank_divisor":12,"technique":"W1f"}},"precision":"int8"}'
    assert plan.canonical_json == text
    assert plan.key == "41060d14b88ff1b4"


@pytest.mark.parametrize("name", ["", "int 8", "../int8", "int8\n", "x" * 41, "é"])
def test_a_precision_or_technique_that_is_no_name_is_refused(name):
    with pytest.raises(ValueError, match="precision is no name"):
        CompressionPlan(precision=name)
    with pytest.raises(ValueError, match="technique is no name"):
        LayerChoice(name)


def test_labels_name_what_was_decided():
    assert CompressionPlan().label == "initial"
    assert CompressionPlan((("fc1", W1F),), "int8").label == "fc1:W1f(rank_divisor=12) int8"
    assert CompressionPlan((("fc1", W1F),)).choice("conv1") == LayerChoice()


@pytest.mark.parametrize("name", ["b", "a"])
def test_parameters_are_sorted(name):
    assert LayerChoice("X", (("b", 1), ("a", 2))).parameters[0] == ("a", 2)
    assert dict(LayerChoice("X", (("b", 1), ("a", 2))).parameters)[name] == {"a": 2, "b": 1}[name]
