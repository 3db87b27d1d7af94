"""What is printed after a deployment is a program that runs."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from adadeep.report.snippets import AsMeasured, End, snippets
from fakes.tflite_models import Input, add

LITE = Path.home() / ".cache/adadeep-lab/android"
MAVEN = Path.home() / ".m2/repository"
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


def kotlin_compiler() -> list[Path]:
    """Jars of kotlin-compiler-embeddable and what it needs, where Maven has fetched them."""
    found = MAVEN.glob("org/jetbrains/**/*.jar")
    jars = {re.sub(r"-\d[\d.]*$", "", path.stem): path for path in sorted(found)}
    return list(jars.values()) if "kotlin-compiler-embeddable" in jars else []


@pytest.mark.slow
@pytest.mark.parametrize("file", ["best.tflite", 'a"b${c}.tflite'])
def test_the_kotlin_one_is_taken_by_the_compiler(tmp_path: Path, file: str) -> None:
    jars = kotlin_compiler()
    classes = [LITE / "tensorflow-lite" / name for name in ("classes.jar", "api.jar")]
    if not jars or not shutil.which("java") or not all(path.exists() for path in classes):
        pytest.skip("no Kotlin compiler, Java or classes of TensorFlow Lite here")
    source = tmp_path / "RunBest.kt"
    source.write_text(snippets(replace(of(), file=file))["kotlin"])
    library = [path for path in jars if path.stem.startswith("kotlin-stdlib")]
    run = ["java", "-cp", ":".join(map(str, jars)), "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler",
           "-no-stdlib", "-no-reflect", "-cp", ":".join(map(str, (*library, *classes))),
           "-d", tmp_path, source]  # fmt: skip
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "RunBestKt.class").exists()


def test_the_kotlin_one_has_declarations_alone_outside_of_its_functions() -> None:
    """As a file of Kotlin must; the compiler's test is skipped where there is none."""
    lines = snippets(of())["kotlin"].splitlines()
    outside = {line.split()[0] for line in lines if line and not line.startswith(" ")}
    assert outside == {"//", "import", "fun", "val", "}"}


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
