"""What is printed after a deployment is a program that runs."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adadeep.report.snippets import AsMeasured, End, snippets
from fakes.tflite_models import Input, add

LITE = Path.home() / ".cache/adadeep-lab/android"
TWO = add(Input("a", "FLOAT32", (1, 2)), Input("b", "FLOAT32", (1, 2)))
ENDS = (End("float32", (1, 2)), End("float32", (1, 2)))


def of(uses_xnnpack: bool = True, threads: int = 1) -> AsMeasured:
    return AsMeasured("best.tflite", "LiteRT 2.3.0", threads, uses_xnnpack, "int8", ENDS, ENDS[:1])


@pytest.mark.parametrize("uses_xnnpack", [True, False])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_python_one_runs_the_file(tmp_path: Path, uses_xnnpack: bool, threads: int) -> None:
    (tmp_path / "best.tflite").write_bytes(TWO)
    text = snippets(of(uses_xnnpack, threads))["python"]
    run = [sys.executable, "-c", text]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[0] == "float32 [1, 2]", done.stderr
    assert ("XNNPACK delegate" in done.stderr) == uses_xnnpack


@pytest.mark.skipif(not shutil.which("javac"), reason="no JDK here")
def test_the_java_one_is_taken_by_the_compiler(tmp_path: Path) -> None:
    """Against the archive's own classes where the lab has them, else against their signatures."""
    classes = [LITE / "tensorflow-lite" / name for name in ("classes.jar", "api.jar")]
    if not all(path.exists() for path in classes):
        pytest.skip("no classes of TensorFlow Lite here")
    source = tmp_path / "RunBest.java"
    source.write_text(snippets(of())["java"])
    path = ":".join(map(str, (*classes, LITE / "android.jar")))
    run = ["javac", "--release", "8", "-Xlint:-options", "-cp", path, "-d", tmp_path, source]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "RunBest.class").exists()


def test_each_names_how_it_was_measured_and_every_end() -> None:
    model = of(False, 4)
    for language, text in snippets(model).items():
        assert "int8, measured with LiteRT 2.3.0, 4 threads, without XNNPACK" in text
        assert text.count("float32") == (2 if language == "python" else 3)
    java, kotlin = snippets(model)["java"], snippets(model)["kotlin"]
    for text in (java, kotlin):
        assert "setNumThreads(4).setUseXNNPACK(false)" in text
        assert text.count("buffer(8)") == 3


def test_a_name_of_a_file_is_no_code() -> None:
    odd = AsMeasured('a"b${c}.tflite', "x", 1, True, "int8", ENDS, ENDS)
    assert "${c}" not in snippets(odd)["kotlin"]
    tree = ast.parse(snippets(odd)["python"])
    assert any(isinstance(n, ast.Constant) and n.value == odd.file for n in ast.walk(tree))
