"""`adadeep search` as a user runs it: on this computer, and on a box behind a real adbd."""

import collections
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from fakes.interrupts import take_interrupts

pytestmark = pytest.mark.tf
EPISODES = 6


def command(*arguments):
    return [sys.executable, "-m", "adadeep", "search", "digits", *map(str, arguments)]


def environment():
    path = os.pathsep.join(p for p in sys.path if p)
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def run(*arguments, cwd=None):
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=400, check=False,
        env=environment(), cwd=cwd,
    )  # fmt: skip


def start(*arguments):
    return subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment(), preexec_fn=take_interrupts,
    )  # fmt: skip


def records(folder):
    """The whole lines of a journal, by kind."""
    kinds = collections.defaultdict(list)
    path = folder / "journal.jsonl"
    text = path.read_text() if path.exists() else ""
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            record = json.loads(line)
            kinds[record["kind"]].append(record)
    return kinds


def wait_for(folder, process, kind, count):
    """Waits until the journal holds so many records of a kind."""
    deadline = time.monotonic() + 300
    while len(records(folder)[kind]) < count:
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def measured(kinds):
    """By device, the models that were measured as candidates: the first ones of short sessions."""
    found = collections.defaultdict(list)
    initial = kinds["unit"][0]["model_sha256"] if kinds["unit"] else None
    for record in kinds["measured"]:
        first = record["measurements"][0]
        launches = {placement["launch"] for placement in first["placements"]}
        if len(launches) == 1 and first["model_sha256"] != initial:
            found[first["device_fingerprint"]].append(first["model_sha256"])
    return found


def assert_nothing_twice(kinds):
    for models in measured(kinds).values():
        assert len(models) == len(set(models))
    networks = [record["key"] for record in kinds["artifact"]]
    assert len(networks) == len(set(networks))


def test_a_demand_that_cannot_be_met_ends_with_4_and_reports_the_best(tmp_path):
    folder = tmp_path / "run"
    done = run("-d", "local", "--episodes", 1, "--max-latency", "1ns", "--json", "-o", folder)
    assert done.returncode == 4, done.stderr
    assert "none of the 2 plans tried meets the demand" in done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "adadeep.search/2"
    assert document["meets_demand"] is False
    (target,) = document["targets"]
    assert not target["best"]["reward"]["feasible"]
    assert (folder / "best.tflite").read_bytes()[4:8] == b"TFL3"
    # No output of TensorFlow between our lines.
    assert "I0000" not in done.stderr


def test_bad_input_is_one_sentence_before_anything_long_begins(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "journal.jsonl").write_text(
        '{"kind":"header","schema_version":99,"adadeep_version":"9.0","study":{}}\n'
    )
    for arguments, word in (
        (("-o", tmp_path / "file"), "is a file"),
        (("-o", tmp_path / "file" / "below"), "can't be made"),
        (("-o", tmp_path / "newer"), "newer adadeep"),
        (("--sampler", "dqm"), "Did you mean 'dqn'?"),
        (("--max-latency", "4 parsecs"), "4ms"),
    ):
        done = run("-d", "local", *arguments, cwd=tmp_path)
        assert done.returncode == 2, (arguments, done.stderr)
        assert word in done.stderr
        assert done.stdout == ""
    assert not (tmp_path / "runs").exists()


def test_a_search_whose_data_are_missing_binds_its_folder_to_nothing(tmp_path, monkeypatch):
    (tmp_path / "mnist.npz").write_bytes(b"no data")
    monkeypatch.setenv("ADADEEP_DATA", str(tmp_path))
    folder = tmp_path / "run"
    failed = subprocess.run(
        [sys.executable, "-m", "adadeep", "search", "mnist", "-d", "local", "-o", str(folder)],
        capture_output=True, text=True, timeout=200, check=False, env=environment(),
    )  # fmt: skip
    assert failed.returncode == 2, failed.stderr
    assert "mnist.npz" in failed.stderr
    assert not folder.exists()
    folder.mkdir()
    (folder / ".part.initial.keras").write_bytes(b"left by a killed host")
    done = run("-d", "local", "--episodes", 1, "-o", folder)
    assert done.returncode in (0, 4), done.stderr
    assert sorted(path.name for path in folder.iterdir()) == [
        ".lock", "best.keras", "best.tflite", "initial.keras", "initial.tflite", "journal.jsonl",
        "models", "native.log", "plan.json", "samples.npz",
    ]  # fmt: skip


@pytest.mark.lab
def test_killing_the_host_in_the_middle_measures_nothing_twice(lab_box, tmp_path):
    folder = tmp_path / "run"
    arguments = ("-d", lab_box.serial, "--episodes", EPISODES, "-o", folder)
    process = start(*arguments)
    wait_for(folder, process, "trial", 3)
    process.kill()
    process.wait()
    process.stdout.close()
    before = records(folder)
    done = run(*arguments, "--json")
    assert done.returncode in (0, 4), done.stderr
    after = records(folder)
    for kind in before:
        assert after[kind][: len(before[kind])] == before[kind]
    assert_nothing_twice(after)
    assert len(after["trial"]) == EPISODES + 1
    [models] = measured(after).values()
    assert len(models) == EPISODES + len(after["remade"])
    assert len(after["ask"]) == EPISODES
    for session in after["measured"]:
        for record in session["measurements"]:
            assert record["device_title"] == json.loads(done.stdout)["targets"][0]["device_title"]
            assert record["agent"]["name"] == "linux-python"
            blocks = [block for placed in record["placements"] for block in placed["blocks"]]
            assert sum(len(block["times_ns"]) for block in blocks) >= 20
    best = json.loads((folder / "plan.json").read_text())["targets"][0]["best"]
    assert best["cost"]["latency_ms"]["provenance"] == "measured"
    again = run(*arguments, "--json")
    assert again.returncode == done.returncode
    assert records(folder) == after
    assert json.loads(again.stdout)["targets"] == json.loads(done.stdout)["targets"]


@pytest.mark.lab
def test_ctrl_c_says_how_to_go_on_and_ends_with_130(lab_box, tmp_path):
    folder = tmp_path / "run"
    process = start("-d", lab_box.serial, "--episodes", 50, "-o", folder)
    wait_for(folder, process, "trial", 2)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "the same command goes on from there" in output
    assert "Traceback" not in output
    assert_nothing_twice(records(folder))
    other = subprocess.run(
        [sys.executable, "-m", "adadeep", "search", "mnist", "-d", lab_box.serial, "-o", folder],
        capture_output=True, text=True, timeout=400, check=False, env=environment(),
    )  # fmt: skip
    assert other.returncode == 2
    assert "task is digits there, mnist here" in other.stderr


@pytest.mark.lab
def test_a_device_that_goes_away_ends_with_3_and_the_search_goes_on_later(lab_phone, tmp_path):
    folder = tmp_path / "run"
    device = lab_phone(python=True, serial="GOESAWAY")
    process = start("-d", device.serial, "--episodes", 50, "-o", folder)
    wait_for(folder, process, "trial", 2)
    device.stop()
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 3, output
    assert device.serial in output
    assert "the same command goes on from there" in output
    assert_nothing_twice(records(folder))


@pytest.mark.lab
def test_a_device_that_comes_later_measures_what_was_tried_without_training(
    lab_box, lab_phone, tmp_path
):
    folder = tmp_path / "run"
    alone = run("-d", "local", "--episodes", 2, "-o", folder, "--json")
    assert alone.returncode in (0, 4), alone.stderr
    before = records(folder)
    both = run("-d", "local", "-d", lab_box.serial, "--episodes", 2, "-o", folder, "--json")
    assert both.returncode in (0, 4), both.stderr
    after = records(folder)
    assert after["artifact"] == before["artifact"]
    [here, there] = measured(after).values()
    assert sorted(here) == sorted(there)
    assert [here] == list(measured(before).values())
    document = json.loads(both.stdout)
    assert len(document["targets"]) == 2
    assert all(len(trial["on"]) == 2 for trial in document["trials"])
    for target in document["targets"]:
        assert (folder / target["file"]).read_bytes()[4:8] == b"TFL3"
    deployed = subprocess.run(
        [sys.executable, "-m", "adadeep", "deploy", folder, "-d", lab_box.serial, "--json"],
        capture_output=True, text=True, timeout=300, check=False, env=environment(),
    )  # fmt: skip
    assert deployed.returncode == 0, deployed.stderr
    assert json.loads(deployed.stdout)["deployments"][0]["searched_here"] is True


@pytest.mark.board
@pytest.mark.slow
def test_search_and_deploy_on_the_aarch64_board(lab_board, tmp_path):
    folder = tmp_path / "run"
    done = run("-d", lab_board.serial, "--episodes", EPISODES, "-o", folder, "--json")
    assert done.returncode in (0, 4), done.stderr
    kinds = records(folder)
    assert_nothing_twice(kinds)
    (target,) = json.loads(done.stdout)["targets"]
    assert target["best"]["cost"]["latency_ms"]["provenance"] == "measured"
    deploy = [sys.executable, "-m", "adadeep", "deploy", folder, "-d", lab_board.serial, "--json"]
    deployed = subprocess.run(
        deploy, capture_output=True, text=True, timeout=300, check=False, env=environment()
    )
    assert deployed.returncode == 0, deployed.stderr
    [told] = json.loads(deployed.stdout)["deployments"]
    assert told["searched_here"] is True
    assert told["agreement"]["argmax_agreement"] > 0.95
