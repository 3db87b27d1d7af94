"""The golden messages of device_agent/protocol/vectors, against Python's implementation."""

import contextlib
import itertools
import json
import math
import statistics
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adadeep.core.errors import FormatError
from adadeep.devices.agent_messages import decode_reply
from adadeep_agent import turns, wire

VECTORS = Path(__file__).parents[2] / "device_agent/protocol/vectors"


def vectors(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def named(name):
    return [pytest.param(v, id=v["name"]) for v in vectors(name)]


def refuses(direction, line):
    """The error code with which the reader of a direction refuses a line; None if it takes it."""
    try:
        if direction == "request":
            wire.decode_request(line)
        else:
            decode_reply(line, "the agent")
    except wire.WireError as error:
        return error.code
    except FormatError:
        return "bad_message"
    return None


@pytest.mark.parametrize("vector", named("messages"))
def test_messages_are_taken_or_refused_as_the_vectors_say(vector):
    line = vector["line"].encode()
    assert refuses(vector["direction"], line + b"\n") == (
        None if vector["valid"] else vector["code"]
    )


@pytest.mark.parametrize("vector", [v for v in named("messages") if v.values[0]["canonical"]])
def test_encoding_gives_the_canonical_line_byte_for_byte(vector):
    assert wire.encode(json.loads(vector["line"])) == vector["line"].encode() + b"\n"


@pytest.mark.parametrize("vector", vectors("orders"), ids=lambda v: str(v["seed"]))
def test_orders_are_those_of_the_vectors(vector):
    numbers, orders = turns.Order(vector["seed"]), turns.Order(vector["seed"])
    assert [str(numbers.draw()) for _ in vector["numbers"]] == vector["numbers"]
    assert [orders.shuffled(vector["models"]) for _ in vector["orders"]] == vector["orders"]


def test_the_stream_of_numbers_is_splitmix64():
    """Against the published first numbers of two seeds, not against ourselves."""
    zero, other = turns.Order(0), turns.Order(1234567)
    assert [zero.draw() for _ in range(3)] == [
        0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F,
    ]  # fmt: skip
    assert [other.draw() for _ in range(3)] == [
        6457827717110365317, 3203168211198807973, 9817491932198370423,
    ]  # fmt: skip


def test_every_order_of_three_is_as_likely():
    stream = turns.Order(5)
    found = [tuple(stream.shuffled(3)) for _ in range(6000)]
    counts = [found.count(order) for order in itertools.permutations(range(3))]
    assert min(counts) > 880  # 1000 each, and four standard deviations
    assert max(counts) < 1120


@pytest.mark.parametrize("vector", vectors("groups"), ids=lambda v: f"{v['run_ns']:.0f} ns")
def test_groups_have_the_sizes_of_the_vectors(vector):
    plan = {"group": vector["group"], "block_timings": vector["block_timings"]}
    size = turns.group_size(vector["run_ns"], vector["clock_ns"], vector["block_ns"], plan)
    assert size == vector["size"]


@pytest.mark.parametrize("vector", vectors("quantiles"), ids=lambda v: str(v["df"]))
def test_quantiles_of_t_are_those_of_the_vectors_and_of_a_table(vector):
    df = vector["df"]
    assert turns.t_quantile(df) == pytest.approx(vector["t"], abs=1e-9)
    known = {1: 12.706, 4: 2.776, 10: 2.228, 30: 2.042, 40: 2.021, 60: 2.000, 120: 1.980}
    assert vector["t"] == pytest.approx(known.get(df, vector["t"]), abs=1e-3)


@pytest.mark.parametrize("vector", named("stopping"))
def test_the_stop_rule_decides_as_the_vectors_say(vector):
    said = [turns.placement_logs(blocks) for blocks in vector["blocks_ns"]]
    width = turns.half_width(list(zip(*said, strict=True)))
    assert width == (
        None if vector["half_width"] is None else pytest.approx(vector["half_width"], abs=1e-9)
    )
    assert turns.ended(len(said), width, vector["elapsed_ms"], vector["plan"]) == vector["ended"]


@pytest.mark.parametrize("vector", named("stopping"))
def test_the_half_width_is_that_of_a_t_interval(vector):
    """The vectors again, by another way."""
    widths = []
    for other in range(1, len(vector["blocks_ns"][0])):
        logs = [
            statistics.median(math.log(a / b) for a, b in zip(p[0], p[other], strict=True))
            for p in vector["blocks_ns"]
        ]
        if len(logs) > 1:
            error = statistics.stdev(logs) / math.sqrt(len(logs))
            widths.append(turns.t_quantile(len(logs) - 1) * error)
    if widths:
        assert vector["half_width"] == pytest.approx(max(widths), abs=1e-8)


@pytest.mark.parametrize("vector", vectors("intervals"), ids=lambda v: str(v["count"]))
def test_the_interval_of_the_median_has_the_ranks_of_the_vectors(vector):
    assert wire.median_interval_ranks(vector["count"]) == (vector["low"], vector["high"])


@pytest.mark.parametrize("vector", named("tensors"))
def test_tensors_are_read_as_the_vectors_say(vector):
    if not vector["valid"]:
        with pytest.raises(wire.WireError):
            wire.decode_tensor(vector["tensor"])
        return
    dtype, shape, data = wire.decode_tensor(vector["tensor"])
    assert np.frombuffer(data, dtype).tolist() == vector["values"]
    assert wire.encode_tensor(dtype, shape, data) == vector["tensor"]


def test_the_interval_covers_the_median_of_any_distribution_95_times_in_100():
    random = np.random.default_rng(1)
    for count in (20, 50, 200):
        low, high = wire.median_interval_ranks(count)
        samples = np.sort(random.exponential(1.0, (4000, count)), axis=1)
        covered = (samples[:, low] <= np.log(2)) & (np.log(2) <= samples[:, high])
        assert covered.mean() > 0.945


@given(st.binary(max_size=200))
def test_no_line_whatever_makes_a_decoder_fail_otherwise_than_by_its_own_error(line):
    refuses("request", line)
    refuses("reply", line)


@pytest.mark.parametrize("direction", ["request", "reply"])
@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b'{"type":' * 100_000,
        b'{"type":"done","id":1e400}',
        b'{"type":"progress","id":1,"placement":0,"placements":1,"elapsed_ms":1e999,'
        b'"half_width":null}',
        b'{"id":' + b"9" * 9000 + b"}",
    ],
)
def test_hostile_json_is_refused(direction, line):
    assert refuses(direction, line) == "bad_message"


@pytest.mark.parametrize(
    "tensor",
    [
        None, {}, {"dtype": [], "shape": [1], "data": "AA=="},
        {"dtype": "uint8", "shape": [-1, -1], "data": "AA=="},
        {"dtype": "uint8", "shape": [0] * 100, "data": ""},
        {"dtype": "uint8", "shape": [float("inf")], "data": ""},
        {"dtype": "uint8", "shape": [10**5000], "data": ""},
    ],
)  # fmt: skip
def test_what_is_no_tensor_is_refused(tensor):
    with pytest.raises(wire.WireError):
        wire.decode_tensor(tensor)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.sampled_from(sorted(wire.REQUESTS)), st.dictionaries(st.text(max_size=8), json_values))
def test_a_request_is_taken_whole_or_refused(kind, fields):
    line = json.dumps({**fields, "type": kind}).encode()
    with contextlib.suppress(wire.WireError):
        assert wire.decode_request(line)["type"] == kind
