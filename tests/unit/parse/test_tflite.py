"""The operators of a .tflite, against the format's own classes, and of what is none."""

from __future__ import annotations

import struct

import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st

from adadeep.devices.parse.tflite import CUSTOM, Operator, operators_of
from adadeep.measure.layer_graphs import GRAPHS
from adadeep.measure.layer_models import SingleLayer, conv, dense, tflite_of
from fakes.tflite_models import endless, rewritten

DENSE = tflite_of(SingleLayer(dense(8, 4)))


@pytest.mark.parametrize("spec", [conv(6, 3, 8, 3), dense(8, 4)], ids=["conv", "dense"])
@pytest.mark.parametrize("precision", list(GRAPHS))
def test_they_are_those_that_the_formats_own_classes_find(spec, precision):
    model = tflite_of(SingleLayer(spec, precision))
    codes = schema.ModelT.InitFromPackedBuf(model).operatorCodes
    assert operators_of(model) == tuple(Operator(c.builtinCode, c.version) for c in codes)


def test_several_are_told_in_the_models_order():
    numbers = [schema.BuiltinOperator.WHILE, schema.BuiltinOperator.LESS_EQUAL]
    assert [op.number for op in operators_of(endless())][:2] == numbers


def test_numbers_beyond_the_old_field_and_other_versions_are_read():
    def change(parts):
        [code] = parts.operatorCodes
        code.builtinCode, code.deprecatedBuiltinCode, code.version = 206, 127, 12

    assert operators_of(rewritten(DENSE, change)) == (Operator(206, 12),)


def test_a_model_from_before_the_new_field_has_its_number_in_the_old_one():
    def change(parts):
        parts.operatorCodes[0].builtinCode = 0

    assert operators_of(rewritten(DENSE, change)) == (Operator(9, 1),)


def test_one_of_the_users_own_has_the_number_of_all_such():
    def change(parts):
        [code] = parts.operatorCodes
        code.builtinCode = code.deprecatedBuiltinCode = CUSTOM
        code.customCode = b"TheirOwn"

    assert operators_of(rewritten(DENSE, change)) == (Operator(CUSTOM, 1),)


@pytest.mark.parametrize(
    "model",
    [b"", b"junk", b"\0\0\0\0TFL3", b"\xff\xff\xff\xffTFL3", DENSE[:60], DENSE[4:]],
    ids=["empty", "junk", "head", "beyond", "cut", "shifted"],
)
def test_what_is_no_model_has_none(model):
    assert operators_of(model) == ()


def test_more_operators_than_any_model_has_are_not_believed():
    codes = 8 + 8 + 8  # head, layout, table: then the vector
    layout = struct.pack("<HHHH", 8, 8, 0, 4)
    model = struct.pack("<I4s", 16, b"TFL3") + layout + struct.pack("<iI", 8, 4)
    assert len(model) == codes
    assert operators_of(model + struct.pack("<I", 1 << 31)) == ()
    assert operators_of(model + struct.pack("<I", 0)) == ()


@given(st.data())
def test_damage_never_raises(data):
    model = bytearray(DENSE)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(model) - 1))
        model[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(model)))
    for operator in operators_of(bytes(model[:cut])) + operators_of(bytes(model)):
        assert isinstance(operator.number, int)
