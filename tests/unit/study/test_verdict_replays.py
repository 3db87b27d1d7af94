"""Searches replayed on recorded networks: "met" is seldom wrong, and said where it can be."""

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.mark.slow
def test_of_forty_searches_met_is_seldom_wrong_and_said_where_it_can_be(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    bench = importlib.import_module("bench_verdicts")
    counts = bench.summary(list(bench.replays("mnist")))
    assert counts["replays"] == 40
    assert counts["wrong"] <= 4
    assert counts["attainable"] >= 20
    assert counts["attained"] >= 0.8 * counts["attainable"]
