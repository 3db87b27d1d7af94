"""What `adadeep measure` asks for and how it judges: pure."""

import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.estimates import RatioEstimate
from adadeep.core.measurement import Block, Placement
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.noise import PRIOR
from adadeep.core.session import Ended, MeasuredTogether
from adadeep.measure.comparing import (
    Earlier,
    FailIf,
    Judgement,
    Sustained,
    against_earlier,
    sustained_plan,
)
from adadeep.testing.measurements import measurement, target

ID = "0123456789abcdef"


def estimate(ratio, sd=0.001):
    return RatioEstimate(math.log(ratio), sd, 1e6)


@pytest.mark.parametrize(
    ("text", "ratio", "sd", "judgement", "fails"),
    [
        ("slower 3%", 1.05, 0.001, Judgement.FAILED, True),
        ("slower 3%", 1.01, 0.001, Judgement.PASSED, False),
        ("slower 3%", 1.04, 0.02, Judgement.OPEN, False),
        ("maybe slower 3%", 1.04, 0.02, Judgement.OPEN, True),
        ("maybe slower 3%", 0.9, 0.02, Judgement.PASSED, False),
        ("Slower 2.5 %", 0.5, 0.001, Judgement.PASSED, False),
        ("faster 3%", 0.95, 0.001, Judgement.FAILED, True),
        ("faster 3%", 1.0, 0.001, Judgement.PASSED, False),
    ],
)
def test_a_threshold_fails_what_is_known_to_be_beyond_it(text, ratio, sd, judgement, fails):
    wanted = FailIf.read(text)
    found = wanted.judge(estimate(ratio, sd))
    assert found is judgement
    assert wanted.fails(found) is fails


@pytest.mark.parametrize(
    "text", ["", "slower", "3%", "slower 3", "slower 300%", "slow 3%", "x" * 99]
)
def test_what_is_no_threshold_is_refused(text):
    with pytest.raises(ConfigError, match="slower 3%"):
        FailIf.read(text)


def session(rng, times_ms, factor=1.0, placements=20):
    """Models that take so long, in a state of the device that changes all of them alike."""
    blocks = [[] for _ in times_ms]
    for number in range(placements):
        own = rng.normal(0, 0.004, len(times_ms))
        for model, ms in enumerate(times_ms):
            ns = tuple(
                int(1e6 * ms * factor * math.exp(own[model] + e)) for e in rng.normal(0, 0.002, 5)
            )
            block = Block(0, 1_000_000 * number, 1, ns)
            blocks[model].append(Placement(number, 0, 1000, ns[0], (block,)))
    models = [measurement(f"model {n}".encode(), of=target()) for n in range(len(times_ms))]
    made = tuple(_with(one, own) for one, own in zip(models, blocks, strict=True))
    return MeasuredTogether(ID, MeasuringPlan(), made, Ended.PLACEMENTS)


def _with(one, placements):
    return replace(one, session=ID, placements=tuple(placements))


def test_sessions_of_other_days_are_compared_by_the_reference_that_both_had():
    """The device is 30 % slower today: the ratio to the reference does not see it."""
    rng, held, widths = np.random.default_rng(1), 0, []
    for _ in range(40):
        then = session(rng, [1.0, 0.1])
        now = session(rng, [1.1, 0.1], factor=1.3)
        found = against_earlier(PRIOR, now, then)
        held += found.low <= 1.1 <= found.high
        widths.append(found.high - found.low)
    assert held >= 36
    assert np.median(widths) < 0.15


def test_sessions_that_share_nothing_are_compared_as_widely_as_the_device_strays():
    rng = np.random.default_rng(2)
    then, now = session(rng, [1.0]), session(rng, [1.1], factor=1.3)
    found = against_earlier(PRIOR, now, then)
    assert found.ratio == pytest.approx(1.43, rel=0.02)
    assert found.high / found.low > 1.1


def test_an_earlier_result_is_read_whole_or_refused(tmp_path):
    rng = np.random.default_rng(3)
    whole = session(rng, [1.0, 0.1])
    path = tmp_path / "old.json"
    row = {"serial": "local", "session": msgspec.to_builtins(whole)}
    path.write_bytes(msgspec.json.encode({"schema": "adadeep.measure/2", "measurements": [row]}))
    read = Earlier.read(path)
    assert read.on(whole.measurements[0].target) == whole
    with pytest.raises(ConfigError, match="nothing of Other box"):
        read.on(target("Other box", "e" * 16))
    for text in (b"{}", b"[]", b'{"schema":"adadeep.measure/1"}', b"\xff",
                 b'{"schema":"adadeep.measure/2","measurements":[{"session":{"id":"x"}}]}',
                 b'{"schema":"adadeep.measure/2","measurements":7}'):  # fmt: skip
        path.write_bytes(text)
        with pytest.raises(FormatError):
            Earlier.read(path)


def test_a_sustained_run_tells_its_first_and_its_last_minute():
    second = 1_000_000_000
    blocks = tuple(
        Block(n, n * second, 1, (1_000_000 if n < 300 else 1_200_000,)) for n in range(601)
    )
    [one] = session(np.random.default_rng(4), [1.0]).measurements
    found = Sustained.of(_with(one, [Placement(0, 0, 1, 1, blocks)]))
    assert (found.first_ms, found.last_ms) == (1.0, 1.2)
    assert found.slowdown == pytest.approx(1.2)
    assert len(found.curve) == 12
    assert [ms for _, ms in found.curve] == [1.0] * 6 + [1.2] * 6


@pytest.mark.parametrize("seconds", [0, 19, 5000, math.nan, math.inf])
def test_a_sustained_run_is_neither_a_moment_nor_a_day(seconds):
    with pytest.raises(ConfigError, match="10min"):
        sustained_plan(seconds)


def test_a_sustained_run_lasts_as_long_as_was_asked_for():
    for seconds in (20, 61, 600, 3000):
        plan = sustained_plan(seconds)
        assert plan.placements * plan.placement_ms == pytest.approx(1000 * seconds)
