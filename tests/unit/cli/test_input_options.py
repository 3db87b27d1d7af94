"""--input-range and --input-shape as they are typed."""

import pytest

from adadeep.cli.input_options import with_inputs
from adadeep.core.errors import ConfigError
from adadeep.core.measure_settings import MeasureSettings


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("0..999", (None, 0, 999)),
        ("-1..1", (None, -1, 1)),
        ("tokens=0..9", ("tokens", 0, 9)),
        ("a=b:0=-0.5..1e3", ("a=b:0", -0.5, 1000.0)),
        ("5..5", (None, 5, 5)),
    ],
)
def test_a_range_is_read(text, entry):
    assert with_inputs(MeasureSettings(), [text], [], False).input_ranges == (entry,)


@pytest.mark.parametrize(
    "text",
    ["", "5", "9..0", "a..b", "nan..nan", "0..inf", "0..1e99", "0..5..9", "x=", "..", "=0.."],
)
def test_what_is_no_range_is_refused_with_an_example(text):
    with pytest.raises(ConfigError, match=r"write LOW\.\.HIGH"):
        with_inputs(MeasureSettings(), [text], [], False)


@pytest.mark.parametrize(
    ("text", "entry"),
    [("1,224,224,3", (None, (1, 224, 224, 3))), ("7", (None, (7,))), ("x=1,2", ("x", (1, 2)))],
)
def test_a_shape_is_read(text, entry):
    assert with_inputs(MeasureSettings(), [], [text], False).input_shapes == (entry,)


@pytest.mark.parametrize(
    "text", ["", "0", "1,0", "-1,3", "1x2", "1,,2", "9999999999", "1," * 9 + "1", "x=", "٣"]
)
def test_what_is_no_shape_is_refused_with_an_example(text):
    with pytest.raises(ConfigError, match="for example 1,224,224,3"):
        with_inputs(MeasureSettings(), [], [text], False)


@pytest.mark.parametrize(
    ("ranges", "shapes", "has_file"),
    [(["0..1", "0..2"], [], False), ([], ["a=1", "a=2"], False), (["0..1"], [], True)],
)
def test_what_contradicts_itself_is_refused(ranges, shapes, has_file):
    with pytest.raises(ConfigError):
        with_inputs(MeasureSettings(), ranges, shapes, has_file)


def test_ranges_and_shapes_are_part_of_the_cache_key_and_asking_nothing_changes_it_not():
    asked = [([], []), (["0..1"], []), (["0..2"], []), (["a=0..1"], []), ([], ["1,2"])]
    keys = [with_inputs(MeasureSettings(), *words, False).key for words in asked]
    assert len(set(keys)) == len(keys)
    assert keys[0] == MeasureSettings().key == "a8462b7d"
