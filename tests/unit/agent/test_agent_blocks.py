"""Clocks, files around a block, and loops of runs."""

import os

import pytest

from adadeep_agent import blocks
from adadeep_agent.blocks import BlockTexts, Clocks, dropped_runs, timed_runs
from adadeep_agent.wire import WireError


@pytest.fixture
def texts():
    opened = []

    def made(*entries):
        opened.append(BlockTexts([str(entry) for entry in entries]))
        return opened[-1]

    yield made
    for one in opened:
        one.close()


def test_a_file_is_opened_once_and_read_anew_each_time(texts, tmp_path):
    (tmp_path / "a").write_text("1\n")
    read = texts(tmp_path / "a")
    assert read.read(None) == [b"1\n"]
    (tmp_path / "a").write_text("22\n")
    before = os.listdir("/proc/self/fd")  # noqa: PTH208
    assert read.read(None) == [b"22\n"]
    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208


def test_a_path_of_a_core_is_that_of_the_core_in_use(texts, tmp_path):
    for core in (0, 11):
        (tmp_path / f"cpu{core}").write_text(f"core {core}")
    read = texts(tmp_path / "cpu{core}")
    assert [read.read(core) for core in (11, 0, 5, None)] == [
        [b"core 11"], [b"core 0"], [None], [None],
    ]  # fmt: skip


def test_a_key_asks_for_the_first_line_that_begins_with_it(texts, tmp_path):
    (tmp_path / "status").write_text("Name:\tx\nswitches:\t7\nswitches:\t8\n")
    path = tmp_path / "status"
    assert texts(f"{path}#switches", f"{path}#none", f"{path}#").read(None) == [
        b"switches:\t7", b"", path.read_bytes(),
    ]  # fmt: skip


def test_a_text_is_cut_at_its_bound(texts, tmp_path):
    (tmp_path / "a").write_text("x" * 10_000)
    assert texts(tmp_path / "a").read(None) == [b"x" * 256]


def test_where_there_is_no_file_of_the_thread_that_of_the_process_is_read(
    texts, tmp_path, monkeypatch
):
    (tmp_path / "schedstat").write_text("of the process")
    monkeypatch.setattr(blocks, "_OWN_THREAD", f"{tmp_path}/thread/")
    monkeypatch.setattr(blocks, "_OWN_PROCESS", f"{tmp_path}/")
    assert texts(tmp_path / "thread/schedstat").read(None) == [b"of the process"]
    (tmp_path / "thread").mkdir()
    (tmp_path / "thread/schedstat").write_text("of the thread")
    assert texts(tmp_path / "thread/schedstat").read(None) == [b"of the thread"]


def test_the_clock_of_this_computer_is_good_enough():
    resolution_ns, cost_ns = Clocks().quality()
    assert 1 <= resolution_ns < 20_000_000
    assert 1 <= cost_ns < 20_000_000


def test_of_a_coarse_clock_the_step_is_seen():
    clocks, reads = Clocks(), iter(range(10**6))
    clocks.now = lambda: next(reads) // 100 * 1_000_000
    assert clocks.quality() == (1_000_000, 10_000)


def test_no_runs_are_dropped_where_none_are_wanted():
    assert dropped_runs(pytest.fail, (0, 0), Clocks().now, lambda: None) is None


def test_dropped_runs_on_a_clock_that_goes_back_are_an_error():
    times = iter([100, 50])
    with pytest.raises(WireError, match="clock"):
        dropped_runs(lambda: None, (1, 0), lambda: next(times), lambda: None)


def test_a_block_of_many_timings_has_them_all():
    now = iter(range(10**6))
    times = timed_runs(lambda: None, 1, (1e9, 1000), lambda: next(now), lambda: None)
    assert times == [1] * 1000


def test_a_block_ends_with_the_timing_that_fills_it():
    now, runs = iter(range(0, 10**6, 5)), []
    times = timed_runs(lambda: runs.append(1), 7, (18, 1000), lambda: next(now), lambda: None)
    assert times == [5] * 4
    assert len(runs) == 28
