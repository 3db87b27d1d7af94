"""measure, profile and deploy as a user types them, over a real adbd: results and bad input."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from adadeep.core.clock import Deadline
from adadeep.core.device import hashed
from adadeep.devices.agent import AgentClient
from adadeep.devices.agent_kinds.linux_python.kind import LinuxAgent
from adadeep.devices.discovery import make_transport
from adadeep.measure.layer_models import SingleLayer, dense, micro_benchmark, tflite_of
from fakes.interrupts import take_interrupts
from fakes.lab_agents import agent_pids
from fakes.run_folder import write_run, write_run_of_0_1
from fakes.typed import adadeep, fails

pytestmark = pytest.mark.lab

MODEL = tflite_of(SingleLayer(dense(64, 10)))
BIG = tflite_of(SingleLayer(dense(1024, 1024)))
INPUTS = np.random.default_rng(0).random((4, 64), "f4")
QUICK_LAYERS = len(micro_benchmark()[::6])
CAPTURES = Path(__file__).parents[1] / "data/captures"


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(MODEL)
    return path


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    return tmp_path / "library"


@pytest.fixture
def run(tmp_path):
    """A finished search, made by hand: what deploy reads of it."""
    write_run(tmp_path / "run", MODEL, BIG, INPUTS)
    return tmp_path / "run"


# ---- measure


def test_measure_prints_what_was_measured_and_how(lab_box, model):
    done = adadeep("measure", model, "-d", lab_box.serial, "--max-seconds", "0.3")
    assert done.returncode == 0, done.stderr
    for word in ("median", "95 % interval", "p95", "first inference", "load", "memory",
                 "size of the file", "XNNPACK: 1", "conditions before", "(measured)"):  # fmt: skip
        assert word in done.stdout


def test_measure_json_holds_the_raw_samples_of_each_device(lab_box, model):
    done = adadeep(
        "measure", model, "-d", lab_box.serial, "-d", "local", "--max-seconds", "0.3", "--json"
    )
    document = json.loads(done.stdout)
    assert document["schema"] == "adadeep.measure/2"
    there, here = document["measurements"]
    assert (there["serial"], here["serial"]) == (lab_box.serial, "local")
    prints = []
    for device in (there, here):
        raw, [told] = device["session"]["measurements"][0], device["models"]
        blocks = [block for placed in raw["placements"] for block in placed["blocks"]]
        runs = [
            (ns / block["group"], block["group"]) for block in blocks for ns in block["times_ns"]
        ]
        assert told["runs"] == sum(group for _, group in runs) > 20
        low, high = np.quantile([ns / 1e6 for ns, _ in runs], (0.05, 0.95))
        assert low <= told["latency_ms"]["median_ms"] <= high
        prints.append(raw["device_fingerprint"])
    assert prints[0] != prints[1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no model", "is no .tflite file"),
        (MODEL[:1500], "can't load the model"),
        (b"\x1c\0\0\0TFL3" + bytes(200), "can't load the model"),
    ],
)
def test_a_corrupt_model_is_bad_input(lab_box, tmp_path, content, words):
    path = tmp_path / "corrupt.tflite"
    path.write_bytes(content)
    assert words in fails(adadeep("measure", path, "-d", lab_box.serial), 2)


def test_a_missing_model_and_a_bad_core_mask_are_bad_input(lab_box, model, tmp_path):
    assert "No such file" in fails(adadeep("measure", tmp_path / "none.tflite"), 2)
    done = adadeep("measure", model, "-d", lab_box.serial, "--cores", "zz")
    assert "hexadecimal" in fails(done, 2)
    done = adadeep("measure", model, "-d", lab_box.serial, "--cores", "f00000")
    assert "core mask" in fails(done, 2)


def test_a_device_that_is_not_there_ends_with_the_devices_code(adb_env, model):
    assert "no such device" in fails(adadeep("measure", model, "-d", "NOBODY"), 3)


def test_a_device_without_python_and_java_can_not_measure_and_says_so(lab_phone, model):
    phone = lab_phone().serial
    done = adadeep("measure", model, "-d", phone)
    assert "no Python" in fails(done, 3)
    assert "no app_process" in done.stderr
    named = ("-d", phone, "--agent", "linux-python")
    assert "the Python agent can't run there" in fails(adadeep("measure", model, *named), 3)
    assert "the Python agent can't run there" in fails(adadeep("profile", *named), 3)


def test_a_full_device_is_named_with_what_to_do(lab_phone, tmp_path):
    path = tmp_path / "big.tflite"
    path.write_bytes(tflite_of(SingleLayer(dense(3136, 1024))))
    message = fails(adadeep("measure", path, "-d", lab_phone(python=True, data_mb=8).serial), 3)
    assert "No space left" in message


@pytest.mark.agent_life
def test_ctrl_c_while_measuring_leaves_a_tidy_device(lab_box, model):

    transport = make_transport(lab_box.serial)

    def on_the_device(command):
        return transport.run(command, Deadline.after(20)).text.split()

    models = f"ls {transport.workdir}/models"
    command = [sys.executable, "-m", "adadeep", "measure", str(model), "-d", lab_box.serial]
    process = subprocess.Popen(
        [*command, "--max-seconds", "60", "--launches", "100"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=take_interrupts,
    )  # fmt: skip
    while not on_the_device(models):
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in errors
    running = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline | grep '[p]yz serve'; done; true"
    assert on_the_device(models) == []
    assert on_the_device(running) == []


def test_a_model_with_an_operator_that_the_runtime_lacks_is_bad_input(lab_box, tmp_path):
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    edited = schema.ModelT.InitFromObj(schema.Model.GetRootAs(MODEL))
    edited.operatorCodes[0].version = 99
    builder = flatbuffers.Builder()
    builder.Finish(edited.Pack(builder), b"TFL3")
    path = tmp_path / "future.tflite"
    path.write_bytes(bytes(builder.Output()))
    message = fails(adadeep("measure", path, "-d", lab_box.serial), 2)
    assert "needs a newer runtime" in message  # known here: it was not pushed
    assert " of version 99, of which it has 1 to " in message
    assert "corrupt" not in message


def test_a_device_that_fails_does_not_cost_the_others_their_results(lab_box, lab_phone, model):
    silent = lab_phone()
    serials = ("-d", lab_box.serial, "-d", silent.serial)
    done = adadeep("measure", model, *serials, "--max-seconds", "0.1", "--json")
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert [m["serial"] for m in document["measurements"]] == [lab_box.serial], done.stderr
    assert [f["serial"] for f in document["failed"]] == [silent.serial]
    assert "no Python" in document["failed"][0]["error"]


@pytest.mark.agent_life
def test_cleaning_waits_for_an_agent_at_work(lab_phone):
    box = lab_phone(python=True)
    transport = make_transport(box.serial)
    other = AgentClient.start(LinuxAgent(transport, "python3"), Deadline.after(60))
    try:
        done = adadeep("doctor", "-d", box.serial, "--clean")
        assert done.returncode == 3
        assert "at work" in done.stdout
        assert agent_pids(transport)
    finally:
        other.close()
    done = adadeep("doctor", "-d", box.serial, "--clean")
    assert done.returncode == 0, done.stdout
    assert "has been removed" in done.stdout


@pytest.mark.agent_life
def test_a_stopped_agent_of_another_host_is_named_and_ended_only_by_force(lab_phone, model):
    box = lab_phone(python=True)
    transport = make_transport(box.serial)
    other = AgentClient.start(LinuxAgent(transport, "python3"), Deadline.after(60))
    [pid] = agent_pids(transport)
    transport.run(f"kill -STOP {pid}", Deadline.after(20))
    message = fails(adadeep("measure", model, "-d", box.serial), 3)
    assert f"stopped (process {pid})" in message
    assert f"adadeep doctor -d {box.serial} --clean --force" in message
    assert agent_pids(transport) == [pid]
    assert "--clean" in fails(adadeep("doctor", "-d", box.serial, "--force"), 2)
    done = adadeep("doctor", "-d", box.serial, "--clean")
    assert done.returncode == 3
    assert f"process {pid}" in done.stdout
    done = adadeep("doctor", "-d", box.serial, "--clean", "--force")
    assert done.returncode == 0, done.stdout
    assert agent_pids(transport) == []
    assert transport.run(f"ls {transport.workdir}", Deadline.after(20)).text == ""
    other.close()


# ---- profile


def test_profile_measures_layers_into_the_library(lab_box, library, model):
    done = adadeep("profile", "-d", lab_box.serial, "--quick", "--name", "box", "--json")
    assert done.returncode == 0, done.stderr
    [told] = json.loads(done.stdout)["profiles"]
    assert (told["name"], told["measured_layers"]) == ("box", QUICK_LAYERS)
    shown = json.loads(adadeep("profiles", "show", "box", "--json").stdout)
    assert len(shown["profile"]["entries"]) == QUICK_LAYERS
    assert shown["profile"]["facts"]["serial"] == hashed(lab_box.serial)
    for file in filter(Path.is_file, library.rglob("*")):
        assert lab_box.serial not in file.read_text()
        assert "LABBOX" not in file.read_text()
    measured = adadeep("measure", model, "-d", "box", "--max-seconds", "0.1", "--json")
    assert json.loads(measured.stdout)["measurements"][0]["serial"] == lab_box.serial
    assert adadeep("profiles", "validate", "box").returncode == 0
    assert not list(library.rglob("*unfinished*"))


def test_a_second_profile_of_a_device_keeps_what_it_does_not_measure(lab_box, library, lab_phone):
    def layers():
        shown = json.loads(adadeep("profiles", "show", "box", "--json").stdout)
        return shown["profile"]["entries"]

    quick = ("profile", "-d", lab_box.serial, "--quick", "--name", "box")
    assert adadeep(*quick).returncode == 0
    assert adadeep(*quick, "--threads", "2").returncode == 0
    assert len(layers()) == 2 * QUICK_LAYERS
    assert adadeep("profiles", "validate", "box").returncode == 0
    other = lab_phone(python=True, serial="OTHER")
    message = fails(adadeep("profile", "-d", other.serial, "--quick", "--name", "box"), 2)
    assert "of another device" in message
    assert len(layers()) == 2 * QUICK_LAYERS


def test_a_disturbed_layer_is_marked_where_the_table_is_shown(lab_box, library):
    adadeep("profile", "-d", lab_box.serial, "--quick", "--name", "box")
    [table] = (library / "tables/box").glob("*.jsonl")
    first, *rest = [json.loads(line) for line in table.read_text().splitlines()]
    first["measurement"]["disturbed"] = ["the clock dropped 20%"]
    table.write_text("".join(json.dumps(entry) + "\n" for entry in [first, *rest]))
    shown = adadeep("profiles", "show", "box", environment={"COLUMNS": "200"}).stdout
    [row] = [line for line in shown.splitlines() if "the clock dropped" in line]
    assert first["key"] in row
    assert "measured, 1 thread; disturbed" in row


def test_an_interrupted_profile_goes_on_and_measures_nothing_twice(lab_box, library):
    command = [
        sys.executable,
        "-m",
        "adadeep",
        "profile",
        "-d",
        lab_box.serial,
        "--quick",
        "--name",
        "box",
    ]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        preexec_fn=take_interrupts,
    )  # fmt: skip
    tables = library / "tables/box-unfinished"
    # Not what is being written, which begins with a dot.
    while sum(len(t.read_text().splitlines()) for t in tables.glob("[!.]*.jsonl")) < 3:
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "goes on from there" in errors
    assert "Traceback" not in errors
    [table] = tables.glob("*.jsonl")
    before = table.read_text().splitlines()
    assert 3 <= len(before) < QUICK_LAYERS
    draft = next(library.rglob("box-unfinished.toml")).read_text()
    assert re.search('study = "[0-9a-f]{8}"', draft)
    assert adadeep(*command[3:]).returncode == 0
    [finished] = (library / "tables/box").glob("*.jsonl")
    assert set(before) <= set(finished.read_text().splitlines())
    assert not list(library.rglob("*unfinished*"))
    assert "study" not in next(library.rglob("box.toml")).read_text()


def test_a_captured_phone_gets_its_facts_and_no_made_up_numbers(lab_phone, library, tmp_path):
    props = next(
        path
        for path in sorted(CAPTURES.glob("getprop/*"))
        if "[ro.product.model]" in path.read_text(errors="replace")
    )
    copy = tmp_path / "props"
    shutil.copy(props, copy)
    done = adadeep("profile", "-d", lab_phone(props=copy).serial, "--json")
    assert done.returncode == 0, done.stderr
    [told] = json.loads(done.stdout)["profiles"]
    assert told["measured_layers"] == 0
    assert "no Python" in told["no_agent"]
    assert "facts only" in done.stderr


def test_an_unwritable_library_is_told_before_anything_is_lost(lab_box, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = adadeep(
        "profile", "-d", lab_box.serial, "--quick", environment={"ADADEEP_LIBRARY": str(blocked)}
    )
    assert "library" in fails(done, 2)


def test_a_board_without_a_runtime_is_given_one_when_asked_to(lab_phone, library):
    box = lab_phone(python="bare")
    done = adadeep("profile", "-d", box.serial, "--quick", "--json")
    [told] = json.loads(done.stdout)["profiles"]
    assert told["measured_layers"] == 0
    assert "--provision" in told["no_agent"]
    done = adadeep("profile", "-d", box.serial, "--quick", "--provision", "--json")
    assert done.returncode == 0, done.stderr
    [told] = json.loads(done.stdout)["profiles"]
    assert told["measured_layers"] == QUICK_LAYERS


# ---- deploy


@pytest.mark.parametrize("write", [write_run, write_run_of_0_1])
def test_deploy_leaves_the_winner_there_checked_and_timed(lab_box, tmp_path, write):
    write(tmp_path / "run", MODEL, BIG, INPUTS)
    done = adadeep("deploy", tmp_path / "run", "-d", lab_box.serial, "--json")
    assert done.returncode == 0, done.stderr
    [told] = json.loads(done.stdout)["deployments"]
    assert told["samples"] == 4
    assert told["agreement"]["argmax_agreement"] == 1.0
    assert told["speed_up"] > 2
    assert told["searched_here"] is False

    assert make_transport(lab_box.serial).pull(told["path"], Deadline.after(20)) == MODEL


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda run: (run / "plan.json").unlink(), "holds no finished search"),
        (lambda run: (run / "plan.json").write_text('{"schema_version": 99}'), "upgrade adadeep"),
        (lambda run: (run / "samples.npz").write_bytes(b"junk"), "samples.npz can't be used"),
        (lambda run: (run / "best.tflite").write_bytes(b"junk"), "not the model that plan.json"),
        (lambda run: (run / "plan.json").write_text("[]"), "plan.json can't be used"),
        (lambda run: (run / "initial.tflite").write_bytes(MODEL), "not the model that plan.json"),
    ],
)
def test_a_run_folder_that_can_not_be_read_is_bad_input(adb_env, run, harm, words):
    harm(run)
    assert words in fails(adadeep("deploy", run, "-d", "local"), 2)


def test_a_model_that_computes_something_else_on_the_device_is_not_called_deployed(
    lab_box, run, monkeypatch
):
    from adadeep.core.errors import DeviceError
    from adadeep.study import deploy

    monkeypatch.setattr(deploy, "run_tflite", lambda model, x: np.zeros((len(x), 10), "f4"))
    transport = make_transport(lab_box.serial)
    before = transport.run(f"ls {transport.workdir}/deployed", Deadline.after(20)).text
    with pytest.raises(DeviceError, match="computes something else"):
        deploy.deploy(run, transport, print)
    assert transport.run(f"ls {transport.workdir}/deployed", Deadline.after(20)).text == before


# ---- the aarch64 board


@pytest.mark.board
def test_the_board_is_measured_profiled_and_deployed_to(lab_board, library, model, run):
    serial = lab_board.serial
    medians = []
    for _ in range(2):
        done = adadeep("measure", model, "-d", serial, "--max-seconds", "0.2", "--json")
        assert done.returncode == 0, done.stderr
        [told] = json.loads(done.stdout)["measurements"][0]["models"]
        medians.append(told["latency_ms"]["median_ms"])
    assert medians[0] == pytest.approx(medians[1], rel=0.02)  # its clock counts instructions
    done = adadeep("profile", "-d", serial, "--quick", "--name", "board", "--json")
    [told] = json.loads(done.stdout)["profiles"]
    assert told["measured_layers"] == QUICK_LAYERS
    facts = json.loads(adadeep("profiles", "show", "board", "--json").stdout)["profile"]["facts"]
    assert facts["machine"] == "aarch64"
    done = adadeep("deploy", run, "-d", serial, "--json")
    [told] = json.loads(done.stdout)["deployments"]
    assert told["agreement"]["argmax_agreement"] == 1.0
    assert told["speed_up"] > 10
