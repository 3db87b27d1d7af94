"""What `make android` built: small enough, for every ABI, made of what was pinned, and whole."""

import hashlib
import importlib.util
import json
import re
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from adadeep.core.errors import AdaDeepError
from adadeep.devices.agent_kinds.android_java.built import built, built_folder
from adadeep.devices.parse.elf import parse_elf
from adadeep_agent import wire

ROOT = Path(__file__).parents[2]
APP = ROOT / "android_app"
CORE = APP / "core/src/main/java/org/adadeep/core"
ABIS = {"arm64-v8a", "armeabi-v7a", "x86", "x86_64"}


@pytest.fixture(scope="module")
def found():
    try:
        return built()
    except AdaDeepError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def builder():
    """The script, as a module."""
    path = ROOT / "scripts/build_android.py"
    spec = importlib.util.spec_from_file_location("build_android", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for it there
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def dex_of(found):
    with zipfile.ZipFile(built_folder() / found.agent.file) as jar:
        assert jar.namelist() == ["classes.dex"]
        return jar.read("classes.dex")


def test_the_dex_is_small_and_of_the_oldest_android_that_we_take(found):
    dex = dex_of(found)
    assert dex[:8] in (b"dex\n035\0", b"dex\n037\0")  # ART of Android 7 reads no later one
    assert len(dex) <= 150_000
    assert found.agent.min_sdk == 24


def test_the_dex_has_nothing_that_android_would_not_run(found):
    dex = dex_of(found)
    assert b"Lorg/adadeep/agent/Main;" in dex
    for absent in (b"LambdaMetafactory", b"StringConcatFactory", b"Ljava/nio/file/"):
        assert absent not in dex


def test_there_is_a_library_for_every_abi_and_no_other(found):
    assert set(found.libraries) == ABIS


@pytest.mark.parametrize("abi", sorted(ABIS))
def test_a_library_is_for_its_abi_and_its_pages_and_has_what_the_dex_calls(found, abi):
    library = found.libraries[abi]
    elf = parse_elf((built_folder() / library.file).read_bytes(), abi)
    assert (elf.abi, elf.align_bytes) == (abi, library.align)
    assert set(found.calls) <= elf.functions
    assert len(found.calls) > 40


def test_every_file_is_as_the_manifest_says(found):
    for one in (found.agent, *found.libraries.values()):
        data = (built_folder() / one.file).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (one.bytes, one.sha256)


def test_nothing_else_is_shipped(found):
    files = {str(path.relative_to(built_folder())) for path in built_folder().rglob("*")
             if path.is_file()}  # fmt: skip
    assert files == {
        "README.md", "LICENSE.tensorflow-lite", "manifest.json", found.agent.file,
        *(library.file for library in found.libraries.values()),
    }  # fmt: skip


def test_the_wheel_takes_it_along():
    targets = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    wheel, sdist = (targets["targets"][kind]["force-include"] for kind in ("wheel", "sdist"))
    assert wheel["android_app/dist"] == "adadeep/_data/android"  # where `built_folder` looks
    assert sdist["android_app/dist"] == "android_app/dist"
    assert (APP / "dist/README.md").is_file()  # so that the folder is in every checkout


def test_the_pins_are_hashes_of_what_the_pom_names():
    pins = dict(reversed(line.split()) for line in (APP / "pins.sha256").read_text().splitlines())
    pom = (APP / "artefacts.xml").read_text()
    named = re.findall(r"<artifactId>([\w-]+)</artifactId>\s*<version>([\w.]+)</version>"
                       r"(?:\s*<type>(\w+)</type>)?", pom)[1:]  # fmt: skip
    names = {f"{name}-{version}.{kind or 'jar'}" for name, version, kind in named
             if not name.startswith("maven-")}  # fmt: skip
    assert set(pins) == names
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in pins.values())


def test_java_and_python_agree_about_the_protocol():
    requests = (CORE / "Requests.java").read_text()
    assert f"PROTOCOL = {wire.PROTOCOL};" in requests
    assert f"MAX_LINE = {wire.MAX_LINE};" in requests
    listed = re.search(r"COMMANDS = Arrays.asList\((.*?)\);", requests, re.DOTALL)[1]
    assert tuple(re.findall(r'"(.*?)"', listed)) == wire.COMMANDS
    codes = re.findall(r'String \w+ = "(\w+)"', (CORE / "ErrorCode.java").read_text())
    known = {value for name, value in vars(wire.ErrorCode).items() if name.isupper()}
    assert set(codes) <= known


def test_a_name_is_that_of_a_c_function(builder):
    javap = """Compiled from "A.java"
final class org.a_b.C$D implements org.e.F {
  private static native long get_it(long, int);
  private long nativeHandle;
  public void run();
}
public abstract class org.G {
  native void go();
}
"""
    assert list(builder._native(javap)) == ["Java_org_a_1b_C_00024D_get_1it", "Java_org_G_go"]


def test_a_damaged_download_is_refused_and_removed(builder, tmp_path, monkeypatch):
    monkeypatch.setattr(builder, "TARGET", tmp_path)
    folder = tmp_path / "artefacts"
    folder.mkdir()
    for name in builder.pins():
        (folder / name).write_bytes(b"damaged")
    with pytest.raises(builder.BuildError, match="run `make android` again"):
        builder.artefacts()
    assert len(list(folder.iterdir())) == len(builder.pins()) - 1


def test_what_is_no_archive_is_refused(builder, tmp_path, monkeypatch):
    monkeypatch.setattr(builder, "TARGET", tmp_path)
    (tmp_path / "x-2.17.aar").write_bytes(b"no zip")
    runtime = builder.runtime_of(str(tmp_path / "x-2.17.aar"), {})
    assert runtime.version == "2.17"
    with pytest.raises(builder.BuildError, match="no archive"):
        builder.unpack(runtime)
    with pytest.raises(builder.BuildError, match="RUNTIME names"):
        builder.runtime_of(str(tmp_path / "none.aar"), {})


def test_a_library_that_lacks_a_function_is_refused(builder, found):
    data = (built_folder() / found.libraries["x86"].file).read_bytes()
    told = builder.libraries_told({"x86": data}, list(found.calls))
    assert told["x86"]["sha256"] == found.libraries["x86"].sha256
    with pytest.raises(builder.BuildError, match="lacks Java_no"):
        builder.libraries_told({"x86": data}, ["Java_no"])
    with pytest.raises(builder.BuildError, match="is for x86"):
        builder.libraries_told({"x86_64": data}, [])


def test_a_zip_is_the_same_each_time(builder, tmp_path):
    builder.write_zip(tmp_path / "a", {"b": b"1", "a": b"2"})
    builder.write_zip(tmp_path / "b", {"a": b"2", "b": b"1"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_is_built_is_known_by_what_it_was_built_from(builder, tmp_path, monkeypatch):
    monkeypatch.setattr(builder, "TARGET", tmp_path)
    monkeypatch.setattr(builder, "DIST", tmp_path)
    (tmp_path / "agent.jar").write_bytes(b"x")
    manifest = {
        "agent": {"file": "agent.jar", "sha256": hashlib.sha256(b"x").hexdigest()},
        "libraries": {},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert not builder.is_built("now")
    (tmp_path / "built").write_text("now")
    assert builder.is_built("now")
    assert not builder.is_built("later")
    (tmp_path / "agent.jar").write_bytes(b"y")
    assert not builder.is_built("now")
    assert builder.state(None) == builder.state(None) != builder.state("x.aar")
