"""What is known of runtimes is what they do: each that is here is asked for every operator.

`UPDATE_RUNTIMES=1 pytest tests/contract/test_runtimes.py` writes the files anew. Android's library
is asked where the device lab has it, in a process of its own: it needs the lab's stand-in for
Android's C library.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.devices.parse.tflite import CUSTOM
from adadeep.devices.runtimes.limits import RuntimeLimits, known_runtimes, limits_of
from adadeep.measure.layer_models import micro_benchmark, tflite_of
from adadeep.testing.precisions import converted

FOLDER = Path(__file__).parents[2] / "host" / "adadeep" / "devices" / "runtimes"
TRIED = 25  # versions of each operator
ASKS = """
import ctypes, json, sys
lite = ctypes.CDLL(sys.argv[1])
pointer, size = ctypes.c_void_p, ctypes.c_size_t
for name, result, takes in (
    ("TfLiteModelCreate", pointer, [ctypes.c_char_p, size]),
    ("TfLiteInterpreterOptionsCreate", pointer, []),
    ("TfLiteInterpreterCreate", pointer, [pointer, pointer]),
    ("TfLiteInterpreterDelete", None, [pointer]), ("TfLiteModelDelete", None, [pointer]),
    ("TfLiteVersion", ctypes.c_char_p, []),
):
    function = getattr(lite, name)
    function.restype, function.argtypes = result, takes
options = lite.TfLiteInterpreterOptionsCreate()
def takes(data):
    model = lite.TfLiteModelCreate(data, len(data))
    made = lite.TfLiteInterpreterCreate(model, options)
    if made: lite.TfLiteInterpreterDelete(made)
    lite.TfLiteModelDelete(model)
    return bool(made)
answers = [takes(bytes.fromhex(line.strip())) for line in sys.stdin]
print(json.dumps([lite.TfLiteVersion().decode(), answers]))
"""


def naming(number: int, version: int) -> bytes:
    """A model that names an operator and has no node."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model, code, graph = schema.ModelT(), schema.OperatorCodeT(), schema.SubGraphT()
    code.builtinCode, code.deprecatedBuiltinCode = number, min(number, 127)
    code.version = version
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [], [], [], []
    model.version, model.operatorCodes = 3, [code]
    model.subgraphs, model.buffers = [graph], [schema.BufferT()]
    builder = flatbuffers.Builder(128)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def names() -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    found = vars(schema.BuiltinOperator).items()
    return {number: name for name, number in found if isinstance(number, int)}


WANTED = [(n, v) for n in sorted(names()) if n != CUSTOM for v in range(1, TRIED + 1)]


def rows(answers: list[bool]) -> list[tuple[int, str, int, int]]:
    known: dict[int, list[int]] = {}
    for (number, version), taken in zip(WANTED, answers, strict=True):
        if taken:
            known.setdefault(number, []).append(version)
    for versions in known.values():  # no gaps, and an end
        assert versions == list(range(versions[0], versions[-1] + 1))
        assert versions[-1] < TRIED
    return [(n, names()[n], versions[0], versions[-1]) for n, versions in known.items()]


def require_as_known(runtime: str, version: str, answers: list[bool]) -> None:
    """Or writes it down, where that is wanted."""
    found = rows(answers)
    file = FOLDER / f"{runtime}-{version}.json"
    if os.environ.get("UPDATE_RUNTIMES"):
        file.write_text("[\n" + ",\n".join(f" {json.dumps(row)}" for row in found) + "\n]\n")
    assert [tuple(row) for row in json.loads(file.read_text())] == found


def test_the_python_runtime_has_what_is_known_of_it() -> None:
    import ai_edge_litert
    from ai_edge_litert.interpreter import Interpreter

    def takes(model: bytes) -> bool:
        try:
            Interpreter(model_content=model)
        except ValueError:
            return False
        return True

    answers = [takes(naming(*wanted)) for wanted in WANTED]
    require_as_known("ai_edge_litert", ai_edge_litert.__version__, answers)


def test_androids_library_has_what_is_known_of_it(tmp_path: Path) -> None:
    android = Path(os.environ["LAB_CACHE"]) / "android"
    library = android / "tensorflow-lite" / "jni" / "x86_64" / "libtensorflowlite_jni.so"
    stand_in = android / "root" / "lib64"
    if not library.is_file() or not stand_in.exists():
        pytest.skip("Android's library is not here: the device lab brings it")
    (tmp_path / "getprop").write_text("#!/bin/sh\necho 34\n")  # the library asks for it
    (tmp_path / "getprop").chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", ASKS, str(library)],
        input="\n".join(naming(*wanted).hex() for wanted in WANTED),
        env={"LD_LIBRARY_PATH": str(stand_in), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    version, answers = json.loads(done.stdout)
    require_as_known("tensorflow-lite", version, answers)


@pytest.fixture(params=known_runtimes(), ids=lambda known: f"{known.runtime}-{known.version}")
def runtime(request: pytest.FixtureRequest) -> RuntimeLimits:
    return request.param  # type: ignore[no-any-return]


def test_both_that_come_with_adadeep_are_known() -> None:
    known = {(found.runtime, found.version) for found in known_runtimes()}
    assert {("tensorflow-lite", "2.16.1"), ("ai_edge_litert", "2.3.0")} <= known


@pytest.mark.tf
@pytest.mark.parametrize("precision", list(PRECISIONS))
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_what_a_network_is_converted_to_every_known_runtime_has(
    runtime: RuntimeLimits, precision: str, sparse: bool
) -> None:
    assert runtime.lacking(converted(PRECISIONS.get(precision), sparse)) is None


def test_every_layer_of_a_profile_every_known_runtime_has(runtime: RuntimeLimits) -> None:
    assert {single.key: runtime.lacking(tflite_of(single)) for single in micro_benchmark()} == (
        dict.fromkeys(single.key for single in micro_benchmark())
    )


def test_what_a_runtime_lacks_is_told_by_name_and_version() -> None:
    known: Any = limits_of("tensorflow-lite", "2.16.1")
    assert known.lacking(naming(9, 11)) is None
    said = "FULLY_CONNECTED of version 12, of which it has 1 to 11"
    assert known.lacking(naming(9, 12)) == said
    assert known.lacking(naming(206, 1)) == "operator 206, which it has not"
    assert known.lacking(naming(CUSTOM, 1)) is None  # it may have been built with that
    assert known.lacking(b"junk") is None  # for the runtime to judge


@pytest.mark.parametrize("name", ["", "tensorflow-lite/../x", "../limits", "x" * 100])
def test_of_others_nothing_is_known_whatever_they_call_themselves(name: str) -> None:
    assert limits_of(name, "2.16.1") is None
    assert limits_of("tensorflow-lite", name) is None


def test_a_build_of_a_version_has_its_operators() -> None:
    build = limits_of("tensorflow-lite", "2.16.1+21f2570e")
    assert build is not None
    assert build == limits_of("tensorflow-lite", "2.16.1")
