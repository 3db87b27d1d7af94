"""Plans as people write them. The space: L1 for conv, W1f and L3 for fc1 and fc2; int8."""

from time import process_time as cpu_s

import pytest

from adadeep.core.errors import ConfigError
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.plan_text import PlanText
from adadeep.core.space import restricted
from adadeep.testing.spaces import SPACE, toy_choice
from fakes.search_space import every_list

W12, W6, L1 = toy_choice("W1f", 12), toy_choice("W1f", 6), toy_choice("L1", 0.25)


def plan(text, space=SPACE):
    return PlanText.read(text).plan(space)


@pytest.mark.parametrize(
    ("text", "choices", "precision"),
    [
        ("conv=L1,fc1=L3", {"conv": L1, "fc1": LayerChoice("L3")}, "float32"),
        ("fc1=W1f", {"fc1": W12}, "float32"),  # the technique's first setting
        ("fc1=W1f:6,int8", {"fc1": W6}, "int8"),
        ("fc1=W1f:6.0", {"fc1": W6}, "float32"),
        ("fc1=W1f(value=6)", {"fc1": W6}, "float32"),
        (" fc2=W1f( value=6 ) , int8 ", {"fc2": W6}, "int8"),
        ("fc1:W1f(value=6) fc2:W1f(value=12) int8", {"fc1": W6, "fc2": W12}, "int8"),
        ("int8", {}, "int8"),
        ("float32", {}, "float32"),
        ("conv=none,fc1=W1f", {"fc1": W12}, "float32"),
        ("initial", {}, "float32"),
    ],
)
def test_a_plan_is_what_is_written(text, choices, precision):
    assert plan(text) == CompressionPlan(tuple(choices.items()), precision)


def test_the_label_of_every_plan_is_read_as_that_plan():
    for decisions in every_list(SPACE):
        one = SPACE.plan(decisions)
        assert plan(one.label) == one


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "that is no plan; write for example"),
        (" , ", "that is no plan"),
        ("fc1=", "that is no plan"),
        ("=W1f", "that is no plan"),
        ("fc1=W1f=6", "that is no plan"),
        ("fc1=W1f(value=6", "that is no plan"),
        ("fc1=W1f(6)(7)", "that is no plan"),
        ("fc1=W1f,fc1=L3", "fc1 is decided twice; leave one out"),
        ("int8,float32", "the precision is decided twice"),
        ("konv=W1f", "no layer that can be compressed is called 'konv'. Did you mean 'conv'? "
                     "There are: conv, fc1, fc2."),
        ("pool=W1f", "no layer that can be compressed is called 'pool'"),
        ("fc1=W1g", "no technique for fc1 is called 'W1g'. Did you mean 'W1f'? There are: none"),
        ("conv=W1f", "no technique for conv is called 'W1f'. There are: none, L1."),
        ("fc1=W1f:7", "no settings of W1f on fc1. There are: W1f(value=12), W1f(value=6)."),
        ("fc1=W1f(rank=6)", "no settings of W1f on fc1"),
        ("fc1=W1f(value=six)", "no settings of W1f on fc1"),
        ("fc1=L3:0.5", "no settings of L3 on fc1. There are: L3."),
        ("int9", "no precision is called 'int9'. Did you mean 'int8'? There are: float32, int8."),
        ("fc1=L3,fc2=W1f", "fc2 is taken out by what is chosen before it; leave one out."),
    ],
)  # fmt: skip
def test_what_is_no_plan_of_the_space_is_one_sentence_that_says_what_there_is(text, message):
    with pytest.raises(ConfigError) as caught:
        plan(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("--try ")
    assert "\n" not in str(caught.value)


def test_a_precision_that_nobody_decides_on_is_not_taken():
    space = restricted(SPACE, only=["W1f"])
    assert plan("fc1=W1f", space).precision == "float32"
    with pytest.raises(ConfigError, match=r"no precision is called 'int8'. There are: float32"):
        plan("fc1=W1f,int8", space)


def test_a_text_that_a_terminal_would_obey_or_that_never_ends_is_shown_in_one_short_line():
    with pytest.raises(ConfigError) as caught:
        plan("\x1b[2J" + "x" * 5000 + "=W1f")
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_names_can_be_looked_at_before_there_is_a_space():
    text = PlanText.read("a=W1f,b=W3:0.9,c=W1f,int8")
    assert (text.techniques, text.precision) == (("W1f", "W3"), "int8")


def test_a_long_text_takes_no_long_time():
    text, start = ",".join(f"layer{number}=C2(alpha=0.5)" for number in range(10_000)), cpu_s()
    assert len(PlanText.read(text).choices) == 10_000
    with pytest.raises(ConfigError, match="that is no plan"):
        PlanText.read("(" * 10_000 + ", " * 10_000)
    assert cpu_s() - start < 2
