"""The Java program that is printed after a deployment runs its model on the lab's phone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from adadeep.core.clock import Deadline
from adadeep.devices.discovery import make_transport
from adadeep.report.snippets import AsMeasured, End, snippets
from conftest import LabDevice
from fakes.tflite_models import Input, add

pytestmark = pytest.mark.lab

PAIR = (1, 2)
MODEL = add(Input("a", "FLOAT32", PAIR), Input("b", "FLOAT32", PAIR))
FOLDER = "/data/local/tmp/snippet"


def built(source: str, folder: Path) -> Path:
    """A dex of the program and of TensorFlow Lite's classes, as `make android` makes one."""
    lab = Path(os.environ["LAB_CACHE"]) / "android"
    classes = [lab / "tensorflow-lite" / name for name in ("classes.jar", "api.jar")]
    (folder / "RunBest.java").write_text(source)
    path = ":".join(map(str, (*classes, lab / "android.jar")))
    compiled = folder / "classes"
    run("javac", "--release", "8", "-nowarn", "-cp", path, "-d", compiled, folder / "RunBest.java")
    jar = folder / "run.jar"
    run("java", "-cp", lab / "dx.jar", "com.android.dx.command.Main", "--dex",
        "--min-sdk-version=24", f"--output={jar}", compiled, *classes)  # fmt: skip
    return jar


def run(*words: str | Path) -> None:
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("uses_xnnpack", [True, False])
def test_it_runs(lab_android: LabDevice, tmp_path: Path, uses_xnnpack: bool) -> None:
    ends = (End("float32", PAIR), End("float32", PAIR))
    model = AsMeasured("best.tflite", "TFLite", 1, uses_xnnpack, "float32", ends, ends[:1])
    jar = built(snippets(model)["java"], tmp_path)
    (tmp_path / "best.tflite").write_bytes(MODEL)
    library = jar.with_name("libtensorflowlite_jni.so")
    lite = Path(os.environ["LAB_CACHE"]) / "android/tensorflow-lite"
    library.write_bytes((lite / "jni/x86_64" / library.name).read_bytes())
    transport, soon = make_transport(lab_android.serial), Deadline.after(60)
    transport.run(f"mkdir -p {FOLDER}", soon)
    for file in (jar, tmp_path / "best.tflite", library):
        transport.push(file, f"{FOLDER}/{file.name}", soon)
    command = (
        f"cd {FOLDER} && CLASSPATH={FOLDER}/run.jar"
        f" app_process -Djava.library.path={FOLDER} {FOLDER} RunBest 2>&1"
    )
    said = transport.run(command, soon)
    assert "pos=8 lim=8" in str(said), said  # 2 floats have been written
    assert ("XNNPACK delegate" in str(said)) == uses_xnnpack, said
