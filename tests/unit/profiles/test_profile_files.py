from __future__ import annotations

import json
import os
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adadeep.core.device import (
    Battery,
    Capability,
    CapabilityStatus,
    CpuCache,
    CpuCluster,
    DeviceFacts,
    hashed,
)
from adadeep.core.device_profile import DeviceProfile, ProfileEntry, ProfileProvenance
from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.layers import LayerKind, LayerSpec
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import (
    Agent,
    Block,
    Conditions,
    Delegate,
    Measurement,
    Memory,
    Placement,
)
from adadeep.core.noise import PRIOR
from adadeep.profiles import files
from adadeep.profiles.diff import diff
from adadeep.profiles.schema import (
    core_text,
    from_json_lines,
    from_toml,
    parse_core_text,
    to_json_lines,
    to_toml,
)
from adadeep.profiles.validation import problems_of

FACTS = DeviceFacts(
    serial=hashed("R58M"),
    transport="adb",
    manufacturer="Xiaomi",
    model="Redmi 3S",
    abis=("arm64-v8a", "armeabi-v7a"),
    hardware_serial=hashed("abc"),
    clusters=(CpuCluster((0, 1, 2, 3), 1094400, 249600, "Cortex-A53"), CpuCluster((4, 6))),
    caches=(CpuCache(1, "Data", 32768, (0,)), CpuCache(1, "Data", 32768, (1,))),
    ram_bytes=3 * 1024**3,
    battery=Battery(capacity_mah=4100.0, level_percent=50.0, status="charging"),
)
AGENT = Agent("linux-python", "0.1.0", "ai_edge_litert", "2.3.0")


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    return tmp_path / "library"


def placement(*times_ns: int) -> Placement:
    return Placement(0, 0, 10, 20, (Block(0, 0, 1, times_ns),))


def entry(key: str = "conv-1", scale: int = 1, threads: int = 1) -> ProfileEntry:
    layer = LayerSpec("conv", LayerKind.CONV, (28, 28, 16), (28, 28, 32), (3, 3), (1, 1), "same")
    measurement = Measurement(
        model_sha256="a" * 64,
        model_bytes=1000,
        device_fingerprint=FACTS.fingerprint,
        device_title=FACTS.title,
        agent=AGENT,
        settings=MeasureSettings(threads=threads),
        placements=(placement(*(scale * ns for ns in range(1000, 1040))),),
        delegates=(Delegate("XNNPACK", 1),),
        memory=Memory(1, 2, 1, True),
        before=Conditions(1.5, (1094400, None), ("schedutil", None), {"b": 1.0, "a": 2.0}),
        after=Conditions(2.5),
    )
    return ProfileEntry(key, layer, "float32", measurement)


def profile(*entries: ProfileEntry, name: str = "xiaomi-redmi-3s") -> DeviceProfile:
    return DeviceProfile(
        name=name,
        facts=FACTS,
        capabilities=(Capability("battery", CapabilityStatus.DENIED, 'said "no"'),),
        provenance=ProfileProvenance("2026-11-21T00:00:00Z", "0.1.0", AGENT, "note"),
        entries=entries,
    )


def test_a_saved_profile_is_loaded_as_it_was(library):
    failed = ProfileEntry("dense-1", entry().layer, "int8", error="no such op")
    saved = profile(entry(), failed, entry("conv-2"))
    path = files.save(saved)
    assert path == library / "devices" / "xiaomi" / "xiaomi-redmi-3s.toml"
    assert files.load("xiaomi-redmi-3s") == saved
    assert files.load(str(path)) == saved
    tables = [file.name for file in (library / "tables" / "xiaomi-redmi-3s").iterdir()]
    assert tables == ["ai_edge_litert-t1.jsonl"]


def test_each_number_of_threads_has_a_table_and_a_dropped_one_goes(library):
    files.save(profile(entry(), entry(threads=4)))
    files.save(profile(entry(threads=4)))
    tables = [file.name for file in (library / "tables" / "xiaomi-redmi-3s").iterdir()]
    assert tables == ["ai_edge_litert-t4.jsonl"]


def test_saving_twice_writes_the_same_bytes_and_leaves_no_temporary_file(library):
    path = files.save(profile(entry()))
    before = {file: file.read_bytes() for file in library.rglob("*") if file.is_file()}
    assert files.save(files.load("xiaomi-redmi-3s")) == path
    after = {file: file.read_bytes() for file in library.rglob("*") if file.is_file()}
    assert before == after
    assert sorted(file.suffix or file.name for file in after) == [".jsonl", ".lock", ".toml"]


def test_inputs_of_a_layer_are_written_where_it_has_some_and_need_not_be_there():
    alone = entry()
    inner = replace(alone, layer=replace(alone.layer, inputs=("", "conv0")))
    text = to_json_lines([alone, inner])
    layers = [json.loads(line)["layer"] for line in text.splitlines()]
    assert "inputs" not in layers[0]
    assert layers[1]["inputs"] == ["", "conv0"]
    assert from_json_lines(text, "t.jsonl") == (alone, inner)


def test_a_row_keeps_the_order_of_its_keys():
    row = json.loads(to_json_lines([entry()]))
    assert list(row) == ["key", "layer", "precision", "measurement", "error"]
    beside = json.loads(to_json_lines([replace(entry(), reference_ms=0.5)]))
    assert list(beside) == [*row, "reference_ms"]
    assert list(row["measurement"]["before"]["temperatures_c"]) == ["a", "b"]


def test_what_killed_writers_left_goes_with_the_next_write(library):
    files.save(profile(entry(), name="other"))
    files.save(profile(entry()))
    devices, tables = library / "devices" / "xiaomi", library / "tables" / "other"
    torn = [
        *(devices / ".part.k3x_9a1q.xiaomi-redmi-3s.toml", tables / ".part.abcdefgh.x-t1.jsonl"),
        *(devices / ".xiaomi-redmi-3s.toml.k3x_9a1q", tables / ".x_1.2-t4.jsonl.abcdefgh"),
    ]
    kept = [devices / ".notes.toml", devices / ".part.12345678.being-written.toml"]
    for path in [*torn, *kept]:
        path.write_bytes(b"schema")
    for path in [*torn, kept[0]]:
        os.utime(path, (1, 1))
    assert files.load("other").entries == (entry(),)
    assert [row.problem for row in files.list_profiles() if not row.shipped] == [None, None]
    files.save(profile(entry()))
    assert not any(path.exists() for path in torn)
    assert all(path.exists() for path in kept)
    assert files.load("other").entries == (entry(),)


def test_a_table_that_another_writes_now_is_left_to_it(library):
    files.save(profile(entry()))
    path = library / "tables" / "xiaomi-redmi-3s" / ".part.abcdefgh.ai_edge_litert-t4.jsonl"
    path.write_bytes(b"half")
    files.save(profile(entry()))
    assert path.read_bytes() == b"half"


def test_what_is_unknown_or_derived_is_not_written():
    text = to_toml(profile())
    document = tomllib.loads(text)
    assert "soc" not in document["facts"]
    assert "fingerprint" not in text
    assert document["facts"]["clusters"][1] == {"cores": "4,6"}
    assert document["facts"]["caches"] == [
        {"level": 1, "type": "Data", "size_bytes": 32768, "cores": "0/1"}
    ]


def edited(old: str, new: str) -> str:
    text = to_toml(profile())
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema_version = 1", "schema_version = 2", "upgrade adadeep"),
        ("schema_version = 1", "", "schema_version"),
        ("schema_version = 1", "schema_version =", "no TOML"),
        ("ram_bytes", "ram_byte", r"unknown key 'facts\.ram_byte'.*'ram_bytes'"),
        ("ram_bytes = 3221225472", 'ram_bytes = "3 GB"', r"'facts\.ram_bytes'"),
        ('cores = "4,6"', 'cores = "four"', r"'facts\.clusters\[1\]\.cores'"),
        ('cores = "4,6"', "cores = 4", r"'facts\.clusters\[1\]\.cores'"),
        ('cores = "0/1"', 'cores = "0/1", ways = 4', r"unknown key 'facts\.caches\[0\]\.ways'"),
        ('status = "denied"', 'status = "maybe"', r"'capabilities\[0\]\.status'"),
        ('name = "xiaomi-redmi-3s"', 'name = "../x"', "'name'"),
        ("[provenance]", "[provenence]", "provenence"),
        ("ram_bytes = 3221225472", "ram_bytes = 0", r"'facts': ram_bytes is 0, not from 1"),
        ("ram_bytes = 3221225472", "ram_bytes = " + "9" * 5000, "no TOML"),
        ("ram_bytes = 3221225472", "ram_bytes = " + "9" * 30, r"'facts': ram_bytes is 9+, not"),
        ("ram_bytes = 3221225472", "ram_bytes = " + "[" * 100_000, "nested too deeply"),
        ("capacity_mah = 4100.0", "capacity_mah = nan", r"'facts\.battery': capacity_mah is nan"),
        ("capacity_mah = 4100.0", "capacity_mah = inf", r"'facts\.battery': capacity_mah is inf"),
        ("max_khz = 1094400", "max_khz = -1", r"'facts\.clusters\[0\]': max_khz is -1"),
        ('cores = "4,6"', 'cores = "0-999999999"', r"'facts\.clusters\[1\]\.cores'.*no list"),
        ('cores = "4,6"', 'cores = "' + "0-9999," * 999 + '"', r"\[1\]\.cores'.*more than 4096"),
        ('cores = "0/1"', 'cores = "' + "0-4095/" * 999 + '"', r"\[0\]\.cores'.*more than 4096"),
        ('name = "xiaomi-redmi-3s"', "name = " + "[" * 400 + "]" * 400, "'name'"),
        ('model = "Redmi 3S"', "model" + ".a" * 20_000 + " = 1", "deep|model"),
        ('runtime = "ai_edge_litert"', "runtime = 1", r"'provenance\.agent\.runtime'"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_key(old, new, message):
    with pytest.raises(FormatError, match=message) as caught:
        from_toml(edited(old, new), "some.toml")
    assert str(caught.value).startswith("some.toml: ")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"load_ns":10', '"load_ns":"10"', r"'measurement\.placements\[0\]\.load_ns'"),
        ('"load_ns":10', '"lod_ns":10', r"unknown key '.*placements\[0\]\.lod_ns'"),
        ('"precision"', '"precison"', r"unknown key 'precison'"),
        ("}\n", "\n", "truncated"),
        ('"load_ns":10', '"load_ns":0', r"'measurement\.placements\[0\]'.*not from 1"),
        ('"load_ns":10', '"load_ns":' + "9" * 400, r"'measurement\.placements\[0\]'.*99"),
        ('"timestamp":2.5', '"timestamp":NaN', "invalid"),
        ('"timestamp":2.5', '"timestamp":1e999', "out of range"),
        ('"key"', "[" * 100_000, "nested too deeply|malformed"),
    ],
)
def test_a_wrong_line_of_a_table_is_refused_with_its_number_and_key(library, old, new, message):
    files.save(profile(entry(), entry("conv-2")))
    table = next(library.glob("tables/*/*.jsonl"))
    first, second = table.read_text().splitlines(keepends=True)
    assert old in second
    with pytest.raises(FormatError, match=message) as caught:
        from_json_lines(first + second.replace(old, new), "t.jsonl")
    assert str(caught.value).startswith("t.jsonl, line 2: ")


def test_a_missing_profile_suggests_the_nearest_name():
    with pytest.raises(ConfigError, match="Did you mean 'xiaomi-redmi-3s'"):
        files.load("xiaomi-redmi-3")


def test_the_users_profile_comes_before_the_shipped_one_of_its_name(library):
    assert not files.load("xiaomi-redmi-3s").is_measured
    files.save(profile(entry()))
    assert files.load("xiaomi-redmi-3s").is_measured
    rows = files.list_profiles()
    assert (rows[0].name, rows[0].shipped, rows[0].entries) == ("xiaomi-redmi-3s", False, 1)
    assert [row.name for row in rows].count("xiaomi-redmi-3s") == 1
    assert all(row.shipped for row in rows[1:])


def test_a_file_that_cannot_be_read_is_listed_with_its_problem(library):
    path = files.save(profile())
    path.write_text("schema_version = 99\n")
    row = files.list_profiles()[0]
    assert row.problem
    assert "upgrade" in row.problem


def test_a_profile_without_a_library_around_it_is_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(to_toml(profile()))
    assert files.load(str(path)).facts == FACTS


def test_names_are_unique_for_each_device_and_kept_over_updates():
    assert files.name_for(FACTS) == "xiaomi-redmi-3s"
    files.save(profile())
    assert files.name_for(FACTS) == "xiaomi-redmi-3s"
    assert files.name_for(replace(FACTS, build_fingerprint="new")) == "xiaomi-redmi-3s"
    other = replace(FACTS, hardware_serial=hashed("def"))
    assert files.name_for(other) == "xiaomi-redmi-3s-2"
    files.save(replace(profile(name="xiaomi-redmi-3s-2"), facts=other))
    assert files.name_for(other) == "xiaomi-redmi-3s-2"
    assert files.name_for(replace(FACTS, hardware_serial=hashed("ghi"))) == "xiaomi-redmi-3s-3"


def test_a_device_without_a_model_is_not_named_by_its_serial():
    facts = DeviceFacts("192.168.0.7:5555", "adb")
    assert files.name_for(facts) == "unnamed-device"
    assert facts.title == "unnamed device"


RAW = replace(FACTS, serial="R58M", hardware_serial="abc")


def test_what_is_written_holds_hashes_of_the_serials_only(library):
    path = files.save(replace(profile(entry()), facts=RAW))
    for file in library.rglob("*"):
        assert file.is_dir() or '"R58M"' not in file.read_text()
    assert files.load(str(path)).facts == FACTS
    assert files.load(str(path)).facts.fingerprint == RAW.fingerprint


def test_a_profile_of_version_0_1_0_is_taken_in_with_its_measurements(library):
    path = files.save(profile(entry(), broken(device_fingerprint="0" * 16)))
    text = path.read_text().replace(hashed("R58M"), "R58M").replace(hashed("abc"), "abc")
    path.write_text(text)
    table = next(library.glob("tables/*/*.jsonl"))
    former = RAW.fingerprint_as("abc")  # of the serial number as it is
    table.write_text(table.read_text().replace(FACTS.fingerprint, former))
    loaded = files.load(str(path))
    assert loaded.facts == FACTS
    prints = [e.measurement.device_fingerprint for e in loaded.entries if e.measurement]
    assert prints == [FACTS.fingerprint, "0" * 16]


def test_the_machine_id_that_version_0_1_0_hashed_is_not_hashed_again(tmp_path):
    now = hashed("0123456789abcdef0123456789abcdef")
    board = replace(FACTS, os="linux", hardware_serial=now)
    text = to_toml(replace(profile(), facts=board)).replace(now, now.removeprefix("sha256:"))
    assert from_toml(text, "x").facts.hardware_serial == now


def test_nothing_that_is_named_for_a_profile_is_an_internal_error(tmp_path, monkeypatch):
    (tmp_path / "folder.toml").mkdir()
    huge = tmp_path / "huge.toml"
    with huge.open("wb") as file:
        file.truncate(10_000_000_000)  # sparse
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    names = ["/x" * 300, "a" * 300 + ".toml", "x\0.toml", "~no-such-user/a.toml", "/", "x" * 300]
    for name in [*names, *map(str, tmp_path.glob("*.toml"))]:
        with pytest.raises(ConfigError) as caught:
            files.load(name)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 800


def test_the_list_survives_whatever_lies_in_the_library(library):
    files.save(profile())
    vendor = library / "devices" / "vendor"
    vendor.mkdir()
    (vendor / "folder.toml").mkdir()
    (vendor / "dangling.toml").symlink_to("nowhere")
    (vendor / "binary.toml").write_bytes(b"\xff\xfe\0")
    (vendor / "deep.toml").write_text("a = " + "[" * 100_000)
    (vendor / "empty.toml").touch()
    with (vendor / "huge.toml").open("wb") as file:
        file.truncate(10_000_000_000)  # sparse
    table = library / "tables" / "xiaomi-redmi-3s" / "x.jsonl"
    table.mkdir(parents=True)
    rows = {row.name: row for row in files.list_profiles() if not row.shipped}
    assert sorted(rows) == [
        "binary", "dangling", "deep", "empty", "folder", "huge", "xiaomi-redmi-3s",
    ]  # fmt: skip
    assert all(row.problem for row in rows.values())


@pytest.mark.parametrize("name", ["../evil", "", "A", "a--b", "a/b"])
def test_a_name_that_is_none_is_not_written(name):
    with pytest.raises(ConfigError):
        files.save(profile(name=name))


def test_a_library_that_cannot_be_written_says_what_to_do(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("ADADEEP_LIBRARY", str(blocked / "library"))
    with pytest.raises(ConfigError, match="set ADADEEP_LIBRARY to another folder"):
        files.save(profile())


def test_a_library_that_cannot_be_read_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for name in ("/x" * 3000, "/" + "a" * 300, f"{tmp_path}/file", "~no-such-user/library"):
        monkeypatch.setenv("ADADEEP_LIBRARY", name)
        for use in (files.list_profiles, lambda: files.load("x"), lambda: files.save(profile())):
            with pytest.raises(ConfigError, match=r"to another folder|without ~"):
                use()


def test_the_library_is_where_the_platform_keeps_data(tmp_path, monkeypatch):
    monkeypatch.delenv("ADADEEP_LIBRARY")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert files.library_dir() == tmp_path / "adadeep" / "profiles"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.library_dir() == tmp_path / ".local" / "share" / "adadeep" / "profiles"
    monkeypatch.setattr("sys.platform", "darwin")
    assert "Library/Application Support" in os.fspath(files.library_dir())


def test_a_good_profile_has_no_problems():
    assert problems_of(profile(entry(), entry("conv-2"), entry(threads=2))) == []


def broken(**changes) -> ProfileEntry:
    measured = entry()
    assert measured.measurement
    return replace(measured, measurement=replace(measured.measurement, **changes))


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ((entry(), entry()), "entry conv-1: is there 2 times"),
        ((broken(placements=(placement(5, 5),)),), "too few"),
        ((broken(device_fingerprint="0" * 16),), "device_fingerprint"),
        ((replace(entry(), error="x"),), "either a measurement or an error"),
        ((replace(entry(), measurement=None),), "either a measurement or an error"),
    ],
)
def test_tables_that_cannot_be_believed_are_found(entries, problem):
    problems = problems_of(profile(*entries))
    assert len(problems) == 1
    assert re.search(problem, problems[0])


def test_a_file_must_bear_the_name_of_its_profile(tmp_path):
    assert "other.toml" in problems_of(profile(), tmp_path / "other.toml")[0]


def test_a_diff_compares_the_layers_that_both_have():
    slower = profile(entry(scale=9), entry("conv-3"), name="b")
    slower = replace(slower, facts=replace(FACTS, soc="x"))
    found = diff(profile(entry(), entry("conv-2"), name="a"), slower)
    assert [(f.name, f.first, f.second) for f in found.facts] == [("soc", None, "x")]
    assert [(e.key, e.ratio, e.overlaps) for e in found.entries] == [("conv-1", 9.0, False)]
    assert found.mean_ratio == pytest.approx(9.0)
    assert (found.only_first, found.only_second) == (("conv-2",), ("conv-3",))


def test_layers_are_told_apart_by_the_noise_of_their_devices_and_not_by_their_runs():
    """Runs that agree within 2 % say nothing of the next session's."""
    first, second = profile(entry(), name="a"), profile(entry(scale=2), name="b")
    [found] = diff(first, second).entries
    assert found.overlaps  # of a device that was not measured nothing better is known
    quiet = replace(
        PRIOR,
        references=tuple(
            replace(one, curve=((0.01, 1e-4), (10.0, 1e-4)), placement_sd=1e-4, white_sd=1e-4,
                    launch_sd=1e-4)
            for one in PRIOR.references
        ),
    )  # fmt: skip
    pair = (replace(one, noise=quiet) for one in (first, second))
    assert not diff(*pair).entries[0].overlaps


def test_a_profile_does_not_differ_from_itself():
    found = diff(profile(entry()), profile(entry()))
    assert found.facts == ()
    assert [e.overlaps for e in found.entries] == [True]
    assert diff(profile(), profile()).mean_ratio is None


@given(st.sets(st.integers(0, 300), max_size=20))
def test_core_lists_survive_being_written(cores):
    assert parse_core_text(core_text(tuple(cores))) == tuple(sorted(cores))


SHIPPED = sorted(files.shipped_dir().glob("devices/*/*.toml"))


def test_twelve_profiles_are_shipped():
    assert len(SHIPPED) == 12


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_profiles_are_valid_facts_of_table_3_and_unmeasured(path):
    shipped = files.load(str(path))
    assert problems_of(shipped, path) == []
    assert not shipped.is_measured
    assert shipped.entries == ()
    assert "Table 3" in shipped.provenance.note
    assert shipped.facts.ram_bytes
    assert [cache.level for cache in shipped.facts.caches] == [2]
    assert (shipped.facts.battery is None) == (shipped.facts.kind in ("board", "tv"))
    assert path.parent.name == (shipped.facts.manufacturer or "").lower()
