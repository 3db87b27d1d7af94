"""profile, measure, search, deploy and doctor as a user types them, on a phone that runs Java."""

import functools
import json
from pathlib import Path

import pytest

from adadeep.core.clock import Deadline
from adadeep.devices.agent_kinds.android_java.built import built
from adadeep.devices.discovery import make_transport
from adadeep.measure.layer_models import SingleLayer, dense, micro_benchmark, tflite_of
from fakes import typed
from fakes.android import aar, elf
from fakes.typed import fails
from hostile.test_damaged_models import DEADLY

pytestmark = pytest.mark.lab

MODEL = tflite_of(SingleLayer(dense(64, 10)))
BRIEFLY = ("--max-seconds", "0.3")


adadeep = functools.partial(typed.adadeep, environment={"OMP_NUM_THREADS": "1"})


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(MODEL)
    return path


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    return tmp_path / "library"


def test_the_phone_is_profiled(lab_android, library):
    words = ("-d", lab_android.serial, "--quick", "--noise", "1s", "--name", "phone", "--json")
    done = adadeep("profile", *words)
    assert done.returncode == 0, done.stderr
    [told] = json.loads(done.stdout)["profiles"]
    assert told["measured_layers"] == len(micro_benchmark()[::6])
    assert (told["failed_layers"], told["no_agent"]) == (0, None)
    shown = json.loads(adadeep("profiles", "show", "phone", "--json").stdout)["profile"]
    assert shown["provenance"]["agent"]["name"] == "android-java"
    assert shown["facts"]["os"] == "android"
    for file in filter(Path.is_file, library.rglob("*")):
        assert "LABANDROID" not in file.read_text()
    assert adadeep("profiles", "validate", "phone").returncode == 0


@pytest.mark.usefixtures("library")
def test_a_model_is_measured_and_the_json_tells_by_whom(lab_android, model):
    done = adadeep("measure", model, "-d", lab_android.serial, *BRIEFLY, "--json")
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)["measurements"]
    agent = found["session"]["measurements"][0]["agent"]
    library = built().libraries["x86_64"].sha256[:8]
    assert (agent["name"], agent["runtime"]) == ("android-java", "tensorflow-lite")
    assert agent["runtime_version"] == f"{built().runtime.version}+{library}"


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.usefixtures("library")
def test_a_search_finds_a_winner_there_and_it_is_deployed(lab_android, tmp_path):
    folder, serial = tmp_path / "run", lab_android.serial
    words = ("digits", "-d", serial, "--episodes", 3, "--max-accuracy-loss", "50%", "-o", folder)
    found = adadeep("search", *words, "--json")
    assert found.returncode in (0, 4), found.stderr
    assert len(json.loads(found.stdout)["targets"]) == 1
    assert "android-java" in (folder / "journal.jsonl").read_text()
    done = adadeep("deploy", folder, "-d", serial, "--json")
    assert done.returncode == 0, done.stderr
    [deployed] = json.loads(done.stdout)["deployments"]
    assert deployed["agreement"]["argmax_agreement"] == 1.0
    transport = make_transport(serial)
    there = transport.pull(deployed["path"], Deadline.after(20))
    assert there == (folder / deployed["file"]).read_bytes()
    transport.run(f"rm {deployed['path']}", Deadline.after(20))


def test_doctor_checks_what_runs_java_there(lab_android):
    done = adadeep("doctor", "-d", lab_android.serial, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    [report] = json.loads(done.stdout)["devices"]
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["runtime for"]["evidence"] == "arm64-v8a, x86_64"
    assert checks["agent"]["evidence"].startswith("android-java answers, tensorflow-lite 2.16.1+")


def test_a_model_that_crashes_the_runtime_is_bad_input(lab_android, tmp_path):
    path = tmp_path / "deadly.tflite"
    path.write_bytes(DEADLY["a window without an end"])
    done = adadeep("measure", path, "-d", lab_android.serial, *BRIEFLY)
    assert "crashes the runtime there (exit code 134)" in fails(done, 2)


def test_a_python_that_is_not_there_is_told_whoever_asks_for_it(lab_android, model):
    words = ("measure", model, "-d", lab_android.serial, "--agent", "linux-python")
    assert "the Python agent can't run there" in fails(adadeep(*words), 3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "can't be read"), (b"no archive", "is no archive that can be read"),
        ({"mips/x.so": b"x"}, "has no library for arm64-v8a"),
        ({"arm64-v8a/x.so": elf("arm64-v8a")}, "functions that the agent calls"),
    ],
)  # fmt: skip
def test_a_runtime_that_will_not_do_is_bad_input(lab_android, model, tmp_path, content, words):
    archive = tmp_path / "own.aar"
    if isinstance(content, dict):
        aar(archive, content)
    elif content is not None:
        archive.write_bytes(content)
    done = adadeep("measure", model, "-d", lab_android.serial, "--runtime", archive)
    assert words in fails(done, 2)


def test_a_runtime_is_for_android_alone(model, tmp_path):
    archive = aar(tmp_path / "own.aar", {})
    done = adadeep("measure", model, "-d", "local", "--runtime", archive)
    assert "--runtime is for the Android agent" in fails(done, 2)
