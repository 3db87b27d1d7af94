"""What the kernel says around a block, out of texts as boards and phones have them."""

import pytest

from adadeep.devices.parse.block_texts import BLOCK_PATHS, BlockFacts, block_facts
from adadeep_agent import wire
from fakes.mutations import cases, mutated

DELAY, SWITCHES, CLOCK = BLOCK_PATHS
BEFORE = {DELAY: "737436074 1140166149 210\n", SWITCHES: "nonvoluntary_ctxt_switches:\t208"}
AFTER = {
    DELAY: "745020732 1153205651 213\n", SWITCHES: "nonvoluntary_ctxt_switches:\t211",
    CLOCK: "1800000\n",
}  # fmt: skip


def test_a_delay_switches_and_a_clock_are_told():
    assert block_facts(BEFORE, AFTER) == BlockFacts(13_039_502, 3, 1_800_000)


def test_what_is_not_there_is_none():
    assert block_facts({}, {}) == BlockFacts()
    assert block_facts(dict.fromkeys(BLOCK_PATHS), AFTER) == BlockFacts(khz=1_800_000)


@pytest.mark.parametrize(
    "changes",
    [
        {DELAY: ""}, {DELAY: "0 0"}, {DELAY: "1 -5 2"}, {DELAY: "1 x 2"},
        {DELAY: "1 " + "9" * 30 + " 2"}, {DELAY: "745020732 1140166148 213"},  # goes back
        {DELAY: "745020732 " + "9" * 19 + " 213"},
    ],
)  # fmt: skip
def test_a_delay_that_can_not_be_is_none(changes):
    assert block_facts(BEFORE, {**AFTER, **changes}).delay_ns is None


@pytest.mark.parametrize(
    "text", ["", "voluntary_ctxt_switches:\t9", "nonvoluntary_ctxt_switches: x"]
)
def test_switches_that_can_not_be_are_none(text):
    assert block_facts(BEFORE, {**AFTER, SWITCHES: text}).switches is None


@pytest.mark.parametrize("text", ["", "0", "-1", "<unknown>", "9" * 12, "1.5", "9" * 30])
def test_a_clock_that_can_not_be_is_none(text):
    assert block_facts(BEFORE, {**AFTER, CLOCK: text}).khz is None


def test_an_agent_takes_the_paths():
    assert len(BLOCK_PATHS) <= wire.MAX_BLOCK_PATHS
    wire._check_block_paths(list(BLOCK_PATHS))


def test_damaged_texts_never_fail():
    for rng in cases():
        for path, text in AFTER.items():
            harmed = mutated(text.encode(), rng).decode("utf-8", "replace")
            block_facts(BEFORE, {**AFTER, path: harmed})
