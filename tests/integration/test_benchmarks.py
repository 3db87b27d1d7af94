"""Every benchmark runs: what nothing runs, rots."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adadeep.search.registry import SAMPLERS

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NEEDS = {
    "board": [pytest.mark.board, pytest.mark.slow],
    "android": [pytest.mark.lab],
    "candidate": [pytest.mark.lab],
    "demo": [pytest.mark.tf, pytest.mark.slow],
    "overlap": [pytest.mark.tf, pytest.mark.board, pytest.mark.slow],
    "plan": [pytest.mark.tf, pytest.mark.slow],
    "profile": [pytest.mark.lab],
}
NAMES = sorted(path.stem.removeprefix("bench_") for path in BENCHMARKS.glob("bench_*.py"))


def run_python(script, *arguments):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *map(str, arguments)],
        capture_output=True, text=True, timeout=500, check=False, env=environment,
    )  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(n, marks=NEEDS.get(n, [])) for n in NAMES])
def test_a_benchmark_runs_and_gives_numbers_of_which_the_page_is_made(name, tmp_path):
    done = run_python("run_all.py", name, "--smoke", "--results", tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    content = json.loads((tmp_path / f"{name}.json").read_text())
    assert content.get("rows") or content["results"]
    page = (tmp_path / "benchmarks.md").read_text()
    for row in content.get("rows", []):
        assert row["what"] in page
    for table in content.get("results", {}).values():
        assert all(f"| {sampler} |" in page for sampler in table)


def test_a_smoke_run_never_overwrites_real_numbers():
    done = run_python("run_all.py", "--smoke")
    assert done.returncode == 2
    assert "--results" in done.stderr


def test_every_registered_sampler_and_preset_is_compared(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import bench_search

    known = {f"{name} {preset}" for name in SAMPLERS for preset in SAMPLERS.get(name).presets}
    assert known <= set(bench_search.contenders())
