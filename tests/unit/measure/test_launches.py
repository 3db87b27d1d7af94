from dataclasses import replace

import pytest

from adadeep.core.measurement import Memory
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import Ended, session_id
from adadeep.measure.launches import launch_plan, merged
from adadeep.testing.measurements import target, together

PLAN = MeasuringPlan(seed=2**53 - 1, placements=10, least_placements=5, max_ms=3000)


def test_a_single_launch_is_the_plan_itself():
    assert launch_plan(PLAN, 0, 1) is PLAN


def test_launches_share_placements_and_time_and_have_orders_of_their_own():
    plans = [launch_plan(PLAN, launch, 4) for launch in range(4)]
    assert {(plan.placements, plan.least_placements, plan.max_ms) for plan in plans} == {
        (3, 2, 750.0)
    }
    assert len({plan.seed for plan in plans}) == 4


def test_what_a_launch_does_is_never_what_another_sessions_launch_does():
    """Their jobs would be the same, and one be taken for the other in the spool."""
    seeds = {launch_plan(MeasuringPlan(seed=s), n, 3).seed for s in range(50) for n in range(3)}
    assert len(seeds) == 150


def parts(*ends):
    made = [together([b"a", b"b"], plan=launch_plan(PLAN, n, len(ends))) for n in range(len(ends))]
    return [replace(part, ended=end) for part, end in zip(made, ends, strict=True)]


@pytest.mark.parametrize(
    ("ends", "whole"),
    [
        ([Ended.NARROW, Ended.NARROW], Ended.NARROW),
        ([Ended.TIME, Ended.NARROW], Ended.TIME),
        ([Ended.TIME, Ended.PLACEMENTS], Ended.PLACEMENTS),
    ],
)
def test_placements_go_on_over_the_launches(ends, whole):
    name = session_id(["a" * 64], PLAN, target().key)
    both = parts(*ends)
    found = merged(name, PLAN, both)
    assert (found.id, found.plan, found.ended) == (name, PLAN, whole)
    for place, one in enumerate(found.measurements):
        count = len(both[0].measurements[place].placements)
        assert [p.number for p in one.placements] == list(range(2 * count))
        assert [p.launch for p in one.placements] == [0] * count + [1] * count
        assert one.session == name
        assert one.before == both[0].measurements[place].before


def test_memory_is_that_of_the_launch_that_took_most():
    both = parts(Ended.TIME, Ended.TIME)
    for number, peak in enumerate((5, 9)):
        memory = Memory(1, peak, peak - 1, True)
        both[number] = replace(both[number], measurements=tuple(
            replace(one, memory=memory) for one in both[number].measurements
        ))  # fmt: skip
    assert merged("0" * 16, PLAN, both).measurements[0].memory.peak_rss_bytes == 9
