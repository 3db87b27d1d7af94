"""What a look at an Android device tells, and which library goes there."""

from __future__ import annotations

from pathlib import Path

import pytest

from adadeep.core.errors import AdaDeepError, ConfigError, FormatError
from adadeep.devices.agent_kinds.android_java import built as built_module
from adadeep.devices.agent_kinds.android_java.built import built
from adadeep.devices.agent_kinds.android_java.device import AndroidDevice, parse_look
from adadeep.devices.agent_kinds.android_java.runtimes import ABIS, AarSource, BuiltSource
from fakes.android import CALLS, aar, dist, elf

PHONE = """app /system/bin/app_process
flock works
sum /system/bin/sha256sum
page 4096
smaps KernelPageSize: 4 kB
abis arm64-v8a,armeabi-v7a,armeabi
abi arm64-v8a
machine aarch64
file agent-0011.jar 1234
file libtensorflowlite_jni-00.so 77
"""


def test_a_phone_tells_all_that_is_asked() -> None:
    assert parse_look(PHONE) == AndroidDevice(
        "/system/bin/app_process", True, True, 4096, ("arm64-v8a", "armeabi-v7a"),
        {"agent-0011.jar": 1234, "libtensorflowlite_jni-00.so": 77}, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "abis"),
    [
        ("abis armeabi-v7a,armeabi\nmachine aarch64", ("armeabi-v7a",)),  # 32-bit on such a kernel
        ("abis\nabi x86\nmachine x86_64", ("x86",)),  # before Android 5
        ("abis\nabi\nmachine aarch64", ("arm64-v8a",)),
        ("abis mips,mips64\nabi mips\nmachine mips", ()),
        ("", ()),
    ],
)
def test_the_abi_is_that_of_the_programs_and_not_of_the_kernel(
    text: str, abis: tuple[str, ...]
) -> None:
    assert parse_look(text).abis == abis


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("page 16384", 16384), ("page\nsmaps KernelPageSize:    16 kB", 16384),
        ("page\nsmaps KernelPageSize:        4 kB", 4096), ("page 5000", None), ("page -1", None),
        ("page\nsmaps", None), ("", None), ("page 0", None),
    ],
)  # fmt: skip
def test_pages_are_told_by_getconf_else_by_the_kernel(text: str, page: int | None) -> None:
    assert parse_look(text).page_bytes == page


@pytest.mark.parametrize(
    "text", ["file ../x 1", "file a", "file -x 3", "file a b c", "\x1b[2J" * 9000, "app " * 90000]
)
def test_an_odd_answer_is_no_file_of_ours(text: str) -> None:
    assert parse_look(text).files == {}


# ---- what was built


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = dist(tmp_path / "dist")
    monkeypatch.setattr(built_module, "built_folder", lambda: made)
    return made


@pytest.mark.parametrize("abi", ABIS)
def test_a_built_library_is_had_by_abi_under_a_name_with_its_hash(folder: Path, abi: str) -> None:
    library = BuiltSource(built()).library(abi)
    assert (library.abi, library.data, library.align_bytes) == (abi, elf(abi), 4096)
    assert library.name == f"libtensorflowlite_jni-{library.sha256[:16]}.so"
    assert folder.exists()


def test_without_a_build_the_remedy_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(built_module, "built_folder", lambda: tmp_path)
    with pytest.raises(AdaDeepError, match=r"is not built here\. Run `make android`"):
        built()


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "0.0.1"}, {"protocol": 1}, {"sha256": "x"}, {"file": "../../etc/passwd"},
        {"bytes": -1}, {"version": 7},
    ],
)  # fmt: skip
def test_a_build_of_another_version_or_an_odd_one_is_refused(
    folder: Path, changed: dict[str, object]
) -> None:
    dist(folder, **changed)
    with pytest.raises(AdaDeepError, match="Run `make android`") as caught:
        built()
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"agent": {}}', "[" * 100000])
def test_a_manifest_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(AdaDeepError, match="Run `make android`"):
        built()


def test_a_file_that_is_not_as_it_was_built_is_refused(folder: Path) -> None:
    library = folder / "jni/x86/libtensorflowlite_jni.so"
    library.write_bytes(library.read_bytes()[:-1])
    with pytest.raises(ConfigError, match=r"not as it was built\. Run `make android`"):
        BuiltSource(built()).library("x86")
    library.unlink()
    with pytest.raises(ConfigError, match="can't be read"):
        BuiltSource(built()).library("x86")


def test_an_abi_that_was_left_out_is_named(folder: Path) -> None:
    dist(folder, ["arm64-v8a"])
    with pytest.raises(ConfigError, match=r"without a library for x86_64.*--runtime"):
        BuiltSource(built()).library("x86_64")


# ---- archives of the user


def source(path: Path) -> AarSource:
    return AarSource(path, CALLS)


def test_of_an_archive_the_library_that_has_all_that_is_called_is_taken(tmp_path: Path) -> None:
    whole = elf("x86_64", [*CALLS, "more"], align=16384)
    path = aar(tmp_path / "a.aar", {
        "x86_64/libtensorflowlite_jni.so": elf("x86_64", CALLS[:1]),
        "x86_64/libLiteRt.so": whole, "arm64-v8a/libLiteRt.so": elf("arm64-v8a"),
    })  # fmt: skip
    library = source(path).library("x86_64")
    assert (library.data, library.align_bytes) == (whole, 16384)
    assert source(path).library("arm64-v8a").align_bytes == 4096


def test_a_library_that_lacks_a_call_is_refused_with_the_command_that_helps(
    tmp_path: Path,
) -> None:
    path = aar(tmp_path / "litert.aar", {"x86/libLiteRt.so": elf("x86", CALLS[1:])})
    with pytest.raises(
        ConfigError, match=rf"lacks 1 of the 2 functions.*{CALLS[0]}.*make android RUNTIME=\S+aar"
    ):
        source(path).library("x86")


def test_an_archive_without_the_abi_says_which_it_has(tmp_path: Path) -> None:
    path = aar(tmp_path / "a.aar", {"arm64-v8a/libx.so": elf("arm64-v8a"), "x86/y.so": b"x"})
    with pytest.raises(ConfigError, match=r"no library for x86_64 \(those for: arm64-v8a, x86\)"):
        source(path).library("x86_64")
    with pytest.raises(ConfigError, match=r"those for: none at all"):
        source(aar(tmp_path / "b.aar", {})).library("x86_64")


def test_a_library_in_the_wrong_folder_is_refused(tmp_path: Path) -> None:
    path = aar(tmp_path / "a.aar", {"x86/libx.so": elf("arm64-v8a")})
    with pytest.raises(FormatError, match="is a library for arm64-v8a"):
        source(path).library("x86")


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\3\4" + bytes(300)])
def test_what_is_no_archive_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.aar"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"a\.aar is no archive that can be read; name the"):
        source(path).library("x86")
    with pytest.raises(ConfigError, match="can't be read"):
        source(tmp_path / "none.aar").library("x86")


def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "adadeep.devices.agent_kinds.android_java.runtimes._MOST_LIBRARY_BYTES"
    monkeypatch.setattr(name, 100)
    path = aar(tmp_path / "a.aar", {"x86/libx.so": elf("x86")})
    with pytest.raises(FormatError, match="is larger than"):
        source(path).library("x86")
