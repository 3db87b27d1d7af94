"""Foreign text and foreign data: made safe, or refused in one line."""

import pytest

from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.demand import UserDemand
from adadeep.core.display import one_line, printable
from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.measurement import Block
from adadeep.core.reader import convert, plain_json, read_bytes, read_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 漢 µs\tx\ny", "plain ü 漢 µs\tx\ny"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb\u200f\ufeff", "a\\u202eb\\u200f\\ufeff"),
        ("carriage\rreturn", "carriage\\x0dreturn"),
        ("half \ud800", "half \\ud800"),
        ("[/] [bold]", "[/] [bold]"),
    ],
)
def test_printable_writes_out_what_a_terminal_obeys(text, shown):
    assert printable(text) == shown
    printable(text).encode()


def test_one_line_is_one_bounded_line():
    assert one_line("a\n\n error: b\r\n\tc") == "a error: b c"
    assert len(one_line("x" * 10_000, 50)) == 50
    assert len(one_line("\x1b" * 1000, 50)) == 50


@pytest.mark.parametrize(
    "data", ["[" * 100_000, b"[" * 100_000, "NaN", "1e999", "{", "\xff", b"\xff"]
)
def test_what_is_no_json_is_refused_in_one_line(data):
    with pytest.raises(FormatError, match=r"^here: .*\.$") as caught:
        plain_json(data, "here")
    assert "\n" not in str(caught.value)


def test_values_check_themselves_however_they_are_made():
    block = {"round": 0, "start_ns": 1, "group": 1, "times_ns": [5]}
    assert convert(block, Block, "x").times_ns == (5,)
    for change in ({"times_ns": []}, {"times_ns": [0]}, {"group": -3}, {"times_ns": [10**20]}):
        with pytest.raises(FormatError, match=r"^x: "):
            convert({**block, **change}, Block, "x")
    with pytest.raises(ValueError, match="not from 0"):
        Quantity(float("nan"), Provenance.MEASURED)
    with pytest.raises(FormatError, match="x: a limit must be a number greater than 0"):
        convert({"max_latency_ms": -1}, UserDemand, "x")
    quantity = Quantity(1.0, Provenance.ANALYTIC)
    with pytest.raises(ValueError, match="storage_bytes"):
        Cost(quantity, quantity, -5, 0, None, 0)


def test_the_place_of_a_wrong_value_is_named():
    with pytest.raises(FormatError, match=r"^file: key 'times_ns\[0\]'"):
        read_json('{"round":0,"start_ns":1,"group":1,"times_ns":["x"]}', Block, "file")


def test_files_are_bounded_and_regular(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_bytes(path, 5) == b"12345"
    with pytest.raises(FormatError, match="larger than"):
        read_bytes(path, 4)
    with pytest.raises(ConfigError, match="no file"):
        read_bytes(tmp_path)
    with pytest.raises(ConfigError, match="can't be read"):
        read_bytes(tmp_path / "none")
