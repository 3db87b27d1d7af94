"""How a session goes, with models and clocks that are played: to the nanosecond."""

import itertools
from dataclasses import replace

import pytest

from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.noise import PRIOR
from adadeep.core.noise_pool import Like
from adadeep.study.measuring import CANDIDATE
from adadeep_agent import session, turns
from adadeep_agent.runner import Cancelled
from adadeep_agent.wire import ErrorCode, WireError
from fakes.agent_sessions import PlayedModel

PLAN = MeasuringPlan(
    seed=5, placements=3, placement_ms=20, block_ms=5, drop_runs=1, drop_ms=0, warmup_ms=0,
    max_ms=10_000,
)  # fmt: skip


def test_models_are_loaded_anew_and_run_in_the_orders_of_the_stream(played):
    told = played(3, plan=PLAN)
    expected, stream = [], turns.Order(5)
    for part in told.parts:
        expected += [("load", f"m{n}") for n in stream.shuffled(3)]
        for _ in part["models"][0]["blocks"]:
            expected += [("run", f"m{n}") for n in stream.shuffled(3)]
    seen = [e for e, _ in itertools.groupby(played.events)]
    sizing = [("run", f"m{n}") for n in range(3)]  # after loading, in the request's order
    left = []
    for event, after in itertools.pairwise([*expected, ("end", "")]):
        left.append(event)
        if event[0] == "load":
            left.append(("run", event[1]))  # its first inference
            if after[0] != "load":  # how long a run is later placements know
                left += sizing
                sizing = []
    assert seen == [e for e, _ in itertools.groupby(left)]
    assert len(told.parts) == 3
    assert told.result["ended"] == "placements"


def test_a_placement_lasts_as_long_as_the_plan_says(played):
    told = played(2, plan=replace(PLAN, placement_ms=40))
    for part in told.parts:
        assert [b["round"] for b in part["models"][0]["blocks"]] == [0, 1, 2, 3]  # 2 x 5 ms
        assert [b["round"] for b in part["models"][1]["blocks"]] == [0, 1, 2, 3]


def test_a_placement_lasts_four_times_as_long_as_loading_took(played):
    played.runs_ns[0] = lambda run: 40_000_000 if run == 0 else 1_000_000  # a slow first one
    told = played(2, plan=PLAN)
    loading_ns = 40_000_000 + 1_000_000 + 2 * 10_000
    sizing_ns = 2 * 2 * 1_000_000
    for part, extra_ns in zip(told.parts, (sizing_ns, sizing_ns / 2, 0), strict=True):  # medians
        timed = sum(sum(b["times_ns"]) for m in part["models"] for b in m["blocks"])
        least = 4 * (loading_ns + extra_ns)
        assert least <= timed < least + 10_000_000


@pytest.mark.parametrize("remade_ms", [0, 5, 30])
@pytest.mark.parametrize("run_ms", [0.002, 0.3, 9])
def test_a_candidate_takes_a_second_at_most_and_remaking_a_fifth_of_it(played, run_ms, remade_ms):
    played.runs_ns[0] = lambda run: 1e6 * (run_ms + (0 if run else remade_ms))
    played.runs_ns[1] = 250_000
    models = [Like(13_000_000, run_ms), Like(40_000, 0.25)]
    began = played.clocks.time
    told = played(2, plan=replace(CANDIDATE.plan(PRIOR, models), half_width=0.0), warm=True)
    took = (played.clocks.time - began) / 1e6
    remade = sum(p["models"][0]["first_ns"] - run_ms * 1e6 for p in told.parts) / 1e6
    assert 600 < took <= 1000
    assert remade <= 0.2 * took
    assert len(told.parts) >= 3


def test_one_load_that_was_disturbed_does_not_make_a_placement_longer(played):
    loads = iter([1_000_000] * 3 + [500_000_000] + [1_000_000] * 9)
    played.runs_ns[0] = lambda run: 1_000_000 if run else next(loads)
    told = played(1, plan=replace(PLAN, placements=6))
    assert {len(p["models"][0]["blocks"]) for p in told.parts} == {4}  # of 5 ms, for 20


def test_a_block_drops_its_first_runs_and_says_what_the_first_took(played):
    played.runs_ns[1] = 700_000
    told = played(2, plan=replace(PLAN, drop_runs=2, drop_ms=3))
    [first, *_] = told.blocks(1)
    assert first["dropped_ns"] == 700_000
    assert first["times_ns"] == [700_000] * 8  # the first sum that reaches 5 ms
    dropped = played.runs("m1") - sum(len(b["times_ns"]) for b in told.blocks(1)) - 3 - 2
    assert dropped == 5 * len(told.blocks(1))  # five take 3 ms


def test_blocks_say_when_they_began_and_where(played):
    told = played(2, plan=PLAN)
    blocks = [b for m in (0, 1) for b in told.blocks(m)]
    starts = [b["start_ns"] for b in sorted(blocks, key=lambda b: b["start_ns"])]
    assert min(b - a for a, b in itertools.pairwise(starts)) >= 5_000_000
    assert {b["core"] for b in blocks} == {3}
    assert all(b["boot_ns"] == b["start_ns"] for b in blocks)
    assert all(b["cpu_ns"] == sum(b["times_ns"]) for b in blocks)


def test_a_model_may_have_blocks_of_its_own_length(played):
    request = played.asks.request([b"0", b"1"], plan=PLAN)
    request["models"][1]["block_ms"] = 2
    told = played.asks.asked(request, clocks=played.clocks)
    assert {len(b["times_ns"]) for b in told.blocks(0)} == {5}
    assert {len(b["times_ns"]) for b in told.blocks(1)} == {2}


def test_short_runs_are_timed_in_groups_and_counted_so(played):
    played.runs_ns[0] = 1_000
    told = played(1, plan=replace(PLAN, block_timings=100))
    assert {b["group"] for b in told.blocks()} == {50}
    assert set(told.blocks()[0]["times_ns"]) == {50_000}
    assert len(told.blocks()[0]["times_ns"]) == 100
    played.clocks.steps = 1_000
    coarse = played(1, plan=replace(PLAN, block_timings=10_000))
    assert {b["group"] for b in coarse.blocks()} == {100}


def test_a_run_that_became_longer_is_timed_in_smaller_groups_from_the_next_placement_on(played):
    played.runs_ns[0] = lambda run: 1_000 if len(loads()) < 2 else 4_000

    def loads():
        return [event for event in played.events if event == ("load", "m0")]

    told = played(1, plan=PLAN)
    assert [{b["group"] for b in p["models"][0]["blocks"]} for p in told.parts] == [
        {50}, {50}, {13},
    ]  # fmt: skip


def test_models_are_fed_the_same_in_every_placement(played, monkeypatch):
    seen, chosen = [], []
    monkeypatch.setattr(PlayedModel, "values", lambda *_: chosen.append([1]) or chosen[-1])
    monkeypatch.setattr(PlayedModel, "feed", lambda _, values: seen.append(values))
    played(2, plan=PLAN)
    assert len(chosen) == 2
    assert len(seen) == 6
    assert all(any(values is one for one in chosen) for values in seen)


def test_texts_behind_a_block_are_those_ahead_of_the_next_that_follows_at_once(
    played, monkeypatch
):
    reads = iter(range(10_000))
    cores = itertools.cycle([0, 0, 0, 1])
    monkeypatch.setattr(session.BlockTexts, "read", lambda *_: [str(next(reads)).encode()])
    told = played(2, plan=PLAN)
    for part in told.parts:
        blocks = sorted(
            (b for m in part["models"] for b in m["blocks"]), key=lambda b: b["start_ns"]
        )
        for one, following in itertools.pairwise(blocks):
            assert following["texts"][0] == one["texts"][1]
    behind = [p["models"][0]["blocks"][0]["texts"] for p in told.parts]
    assert behind[0][0] != behind[1][0]
    played.clocks.core = lambda: next(cores)
    moved = played(1, plan=replace(PLAN, placements=1)).blocks()
    for one, following in itertools.pairwise(moved):
        is_same = one["core"] == following["core"]
        assert (following["texts"][0] == one["texts"][1]) == is_same


def test_a_process_warms_up_once(played):
    plan = replace(PLAN, warmup_ms=30, placements=2)
    played(1, plan=plan)
    cold = played.runs("m0")
    played.events.clear()
    played(1, plan=plan, warm=True)
    assert cold - played.runs("m0") == 30


def test_a_model_of_half_a_minute_runs_no_more_often_than_it_must(played):
    played.runs_ns[0] = played.runs_ns[1] = 30_000_000_000
    told = played(2, plan=MeasuringPlan())
    assert (played.runs("m0"), played.runs("m1")) == (2, 2)  # a first one, and one that counts
    assert told.result["ended"] == "time"
    assert told.blocks()[0]["times_ns"] == [30_000_000_000]
    assert told.blocks()[0]["dropped_ns"] is None


@pytest.mark.parametrize(
    "run_ns", [lambda run: 1_000 * (run + 1), lambda run: 1_000_000 * 1.5**run]
)
def test_a_model_that_gets_slower_with_each_run_comes_to_an_end(played, run_ns):
    played.runs_ns[0] = run_ns
    told = played(1, plan=MeasuringPlan())
    assert told.result["ended"] == "time"
    assert played.clocks.time - 10**12 < 60_000_000_000


def test_time_ends_a_session_after_a_round(played):
    told = played(2, plan=replace(PLAN, placement_ms=1000, max_ms=35))
    assert told.result["ended"] == "time"
    assert [len(m["blocks"]) for m in told.parts[0]["models"]] == [3, 3]  # 6 + 6 ms each
    assert len(told.parts) == told.result["parts"] == 1


def test_far_beyond_its_time_an_unfinished_round_is_dropped(played):
    played.runs_ns[0] = lambda run: 1_000_000 if run < 18 else 50_000_000
    told = played(2, plan=replace(PLAN, placement_ms=1000, max_ms=40))
    rounds = {len(m["blocks"]) for m in told.parts[0]["models"]}
    assert len(rounds) == 1
    lone = played(2, plan=replace(PLAN, placement_ms=1000, max_ms=0.5))
    assert [len(m["blocks"]) for m in lone.parts[0]["models"]] == [1, 1]


def test_a_session_ends_when_it_is_narrow(played):
    told = played(2, plan=replace(PLAN, placements=50, half_width=0.01))
    assert (told.result["ended"], len(told.parts)) == ("narrow", 4)
    wide = itertools.cycle((1_000_000, 3_000_000)).__next__
    pace = [1_000_000]
    played.runs_ns[1] = lambda run: pace.__setitem__(0, wide()) or pace[0] if run == 0 else pace[0]
    told = played(2, plan=replace(PLAN, placements=7, half_width=0.01))
    assert (told.result["ended"], len(told.parts)) == ("placements", 7)


def test_cold_runs_come_at_the_end_of_a_placement(played):
    told = played(2, plan=replace(PLAN, cold_runs=3, cold_bytes=1000))
    assert [len(m["cold_ns"]) for p in told.parts for m in p["models"]] == [3] * 6


def test_of_a_slow_model_there_is_one_cold_run(played):
    played.runs_ns[0] = 30_000_000_000
    told = played(1, plan=replace(PLAN, cold_runs=3, cold_bytes=1000))
    assert told.parts[0]["models"][0]["cold_ns"] == [30_000_000_000]


def test_progress_is_told_every_two_seconds_with_the_interval_so_far(played):
    plan = replace(PLAN, placements=20, placement_ms=1000)
    told = played(2, plan=plan)
    times = [p["elapsed_ms"] for p in told.progress]
    assert 3 <= len(times) <= 5
    assert all(2000 <= b - a < 2100 for a, b in itertools.pairwise([0, *times]))
    assert told.progress[0]["placements"] == 20
    assert told.progress[-1]["half_width"] is not None


def test_a_placement_of_more_than_a_message_holds_ends(played, monkeypatch):
    monkeypatch.setattr(session, "_PART_BYTES", 1000)
    told = played(1, plan=replace(PLAN, placement_ms=1000, placements=1))
    assert len(told.blocks()) == 6  # of five timings


# ---- what goes wrong


@pytest.mark.parametrize("when", [8, 15])
@pytest.mark.parametrize("step", [0, -5])
def test_a_clock_that_stands_or_goes_back_is_said_and_names_the_model(played, when, step):
    played.runs_ns[1] = lambda run: 1_000_000 if run < when else step
    plan = replace(PLAN, drop_runs=0)
    with pytest.raises(WireError, match="clock is of no use") as caught:
        played(2, plan=plan)
    assert (caught.value.code, caught.value.model) == (ErrorCode.CLOCK_JUMPED, "m1")


def test_a_device_that_slept_is_said(played):
    def run(number):
        if number == 20:
            played.clocks.asleep = 61_000_000_000
        return 1_000_000

    played.runs_ns[0] = run
    with pytest.raises(WireError, match="slept for 61 s") as caught:
        played(2, plan=PLAN)
    assert caught.value.code == ErrorCode.SLEPT


def test_without_a_clock_of_boot_nothing_is_said_of_sleep(played):
    played.clocks.boot = None
    told = played(2, plan=PLAN)
    assert {b["boot_ns"] for b in told.blocks()} == {None}


def test_a_cancel_ends_it_between_two_runs(played):
    def check():
        if len(played.events) >= 40:
            raise Cancelled

    with pytest.raises(Cancelled):
        played(2, plan=PLAN, check=check)
    assert len(played.events) == 40


def test_a_cancel_ends_a_block_of_long_runs_after_the_run(played):
    played.runs_ns[0] = 30_000_000_000

    def check():
        if played.runs("m0") >= 3:
            raise Cancelled

    plan = replace(PLAN, block_ms=3_600_000, block_timings=1000, max_ms=3_600_000)
    with pytest.raises(Cancelled):
        played(1, plan=plan, check=check)
    assert played.runs("m0") == 3


def test_models_that_can_not_be_held_together_are_named_with_their_sizes(played, monkeypatch):
    monkeypatch.setattr(session, "memory_available", lambda: 10)
    with pytest.raises(
        WireError, match=r"m0 0\.0 MB, m1 0\.0 MB take about .* are free"
    ) as caught:
        played.asks(b"x" * 9, b"y" * 10, clocks=played.clocks)
    assert (caught.value.code, caught.value.model) == (ErrorCode.OUT_OF_MEMORY, "m1")
    assert played.events == []
    monkeypatch.setattr(session, "memory_available", lambda: None)
    played.asks(b"x" * 9, b"y" * 10, clocks=played.clocks)


def test_a_model_that_fails_as_it_runs_is_named(played):
    def run(number):
        if number == 12:
            raise RuntimeError("gather index out of bounds")
        return 1_000_000

    played.runs_ns[1] = run
    with pytest.raises(WireError, match="index out of bounds") as caught:
        played(3, plan=PLAN)
    assert (caught.value.code, caught.value.model) == (ErrorCode.RUN_FAILED, "m1")


def test_a_file_of_another_hash_is_damaged_and_one_that_changed_is_hashed_again(played):
    request = played.asks.request([b"0", b"1"], plan=PLAN)
    played.asks.asked(request, clocks=played.clocks)
    (played.asks.folder / "1.tflite").write_bytes(b"another")
    with pytest.raises(WireError, match="damaged") as caught:
        played.asks.asked(request, clocks=played.clocks)
    assert (caught.value.code, caught.value.model) == (ErrorCode.MODEL_DAMAGED, "m1")
