from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adadeep.cli.main import cli, run
from adadeep.core.device import Capability, CapabilityStatus, DeviceFacts
from adadeep.core.device_profile import DeviceProfile, ProfileEntry, ProfileProvenance
from adadeep.core.layers import LayerKind, LayerSpec
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Agent, Block, Conditions, Measurement, Memory, Placement
from adadeep.core.noise import PRIOR
from adadeep.profiles import files
from fakes import good_files
from fakes.profiled import CONVS, lawful, profile


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    return tmp_path / "library"


def save(name: str, scale: int) -> Path:
    facts = DeviceFacts("S", "adb", manufacturer="Maker", model=name)
    agent = Agent("linux-python", "0.1.0", "ai_edge_litert", "2.3.0")
    runs = tuple(scale * (1_000_000 + i) for i in range(40))
    measurement = Measurement(
        "a" * 64, 40_000, facts.fingerprint, facts.title, agent, MeasureSettings(),
        (Placement(0, 0, 1, 2, (Block(0, 0, 1, runs),)),), (), Memory(),
        Conditions(1.0), Conditions(2.0),
    )  # fmt: skip
    layer = LayerSpec("dense", LayerKind.DENSE, (10,), (5,))
    return files.save(
        DeviceProfile(
            name,
            facts,
            (Capability("rapl", CapabilityStatus.ABSENT, "none there"),),
            ProfileProvenance("2026-11-21T00:00:00Z", "0.1.0", agent),
            (
                ProfileEntry("dense-10-5-float32", layer, "float32", measurement),
                ProfileEntry("dense-10-6-float32", layer, "float32", error="out of memory"),
            ),
        )
    )


def adadeep(capsys, *arguments: str) -> tuple[int, str, str]:
    code = run(cli, ["profiles", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_list_shows_ones_own_first_then_the_shipped(capsys):
    save("fast", 1)
    code, out, _ = adadeep(capsys, "list")
    assert code == 0
    rows = [line.split() for line in out.splitlines() if "yours" in line or "adadeep" in line]
    assert rows[0][0] == "fast"
    assert len(rows) == 13
    assert "2 layers" in out


def test_list_warns_of_a_file_that_cannot_be_read(capsys):
    save("fast", 1).write_text("schema_version = 99\n")
    code, out, err = adadeep(capsys, "list")
    assert code == 0
    assert "can't be read" in out
    assert "upgrade adadeep" in err


def test_show_tells_what_was_measured_with_its_interval(capsys):
    save("fast", 1)
    code, out, _ = adadeep(capsys, "show", "fast")
    assert code == 0
    row = next(line for line in out.splitlines() if "dense-10-5" in line)
    assert "1 ms" in row
    assert "measured, 1 thread" in row
    assert "failed: out of memory" in out
    assert "none there" in out


def test_show_says_in_words_how_far_to_trust_the_device(capsys):
    path = save("fast", 1)
    code, out, _ = adadeep(capsys, "show", "fast")
    assert code == 0
    assert "not known, it was not measured: adadeep-profile" in out
    curve = ((0.1, 0.05), (1.0, 0.061), (10.0, 0.07))
    own = replace(PRIOR.references[0], model_sha256="a" * 64, curve=curve, latency_ms=0.123)
    noise = replace(PRIOR, references=(own, *PRIOR.references[1:]), ratios=((0.1, 0.011),))
    files.save(replace(files.load("fast"), noise=noise))
    code, out, _ = adadeep(capsys, "show", "fast")
    assert code == 0
    assert " ".join(noise.words().split()) in " ".join(out.split())
    [row] = [line.split() for line in out.splitlines() if "0.123 ms, 2 kB" in line]
    assert row[4:] == ["-", "5", "%", "6.1", "%", "7", "%", *row[-4:]]
    [ratio] = [line.split() for line in out.splitlines() if "ratio of two" in line]
    assert ratio[3:] == ["-", "1.1", "%", "-", "-", "-", "-"]
    code, out, _ = adadeep(capsys, "show", str(path), "--json")
    profile = json.loads(out)["profile"]
    assert profile["trust"] == noise.words()
    assert profile["noise"]["references"][0]["curve"] == [list(point) for point in curve]


def test_validate_finds_damaged_noise(capsys, library):
    save("fast", 1)
    files.save(replace(files.load("fast"), noise=PRIOR))
    assert adadeep(capsys, "validate", "fast")[0] == 0
    file = library / "noise" / "fast.json"
    file.write_text(file.read_text().replace('"version": 1', '"version": 9'))
    code, out, _ = adadeep(capsys, "validate", "fast")
    assert code == 2
    assert f"{file}: " in out
    assert "version 9" in out


def test_show_tells_when_the_device_was_used_and_how_a_reference_drifted(capsys):
    good_files.write_profile("box")
    code, out, _ = adadeep(capsys, "show", "box")
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "used 2 times since 2026-11-20, last on 2026-11-25 by search mnist" in lines
    sha = hashlib.sha256(good_files.MODEL).hexdigest()[:8]
    drift = f"reference {sha}, 1 thread: 0.12 ms on 2026-11-20, 0.125 ms on 2026-11-25 (+4 %)"
    assert drift in lines
    code, out, _ = adadeep(capsys, "show", "box", "--json")
    profile = json.loads(out)["profile"]
    assert [row["models"] for row in profile["sessions"]] == [7, 7]
    [row] = profile["drifts"]
    assert row["first_ms"] == pytest.approx(0.12)
    assert row["reference"]["latency_ms"] == 0.125
    assert row["change"] == pytest.approx(0.125 / 0.12 - 1)


def test_of_many_references_those_measured_last_are_shown(capsys):
    _, _, file = good_files.write_profile("box")
    row = json.loads(file.read_text().splitlines()[-1])
    days = [(day, model) for day in (21, 22) for model in range(8)]
    file.write_text("".join(
        json.dumps({
            **row, "created": f"2026-11-{day}T12:00:{model:02}+00:00",
            "reference": {**row["reference"], "model_sha256": f"{model}" * 64},
        }) + "\n"
        for day, model in days
    ))  # fmt: skip
    _, out, _ = adadeep(capsys, "show", "box")
    shown = [line.split()[1][:1] for line in out.splitlines() if line.split()[:1] == ["reference"]]
    assert shown == ["3", "4", "5", "6", "7"]


def time_models(capsys, name: str) -> tuple[list[str], list[dict[str, Any]]]:
    _, out, _ = adadeep(capsys, "show", name)
    lines = [" ".join(line.split()) for line in out.splitlines() if "time model" in line]
    _, out, _ = adadeep(capsys, "show", name, "--json")
    return lines, json.loads(out)["profile"]["time_models"]


def test_show_tells_how_well_the_table_tells_its_own_layers(capsys):
    good_files.write_profile("box")  # of two layers: too few for a model
    assert time_models(capsys, "box") == ([], [])
    entries = lawful(precisions=("float32",))
    files.save(profile(*entries, name="many"))
    lines, [model] = time_models(capsys, "many")
    error = model.pop("relative_error")
    assert model == {"runtime": "fake_runtime", "threads": 1, "provenance": "fitted"}
    assert error >= 0
    within = f"within about {100 * error:.0f} % of its own table (fitted, leave one out)"
    assert lines == [f"time model {within}"]
    few = lawful(CONVS[:3], ("float32",), threads=4)
    files.save(profile(*entries, *few, name="many"))
    lines, models = time_models(capsys, "many")
    assert lines == [
        f"time model fake_runtime, 1 thread: {within}",
        "time model fake_runtime, 4 threads: of too few layers to tell its error (fitted)",
    ]
    assert [one["relative_error"] for one in models] == [error, None]


def test_validate_finds_a_damaged_session_and_diff_knows_no_sessions(capsys):
    save("fast", 1)
    _, _, sessions = good_files.write_profile("box")
    mine = sessions.with_name("fast.jsonl")
    mine.write_text(sessions.read_text())
    assert adadeep(capsys, "validate", "fast")[0] == 0
    code, out, _ = adadeep(capsys, "diff", "box", "fast")
    assert code == 0
    assert "mnist" not in out
    mine.write_text(mine.read_text().replace('"suspect":1', '"suspect":8'))
    code, out, _ = adadeep(capsys, "validate", "fast")
    assert code == 2
    assert f"{mine}, line 1: key '': suspect is 8, not from 0 to 7" in out


def test_show_says_that_a_shipped_profile_is_unmeasured(capsys):
    code, out, _ = adadeep(capsys, "show", "xiaomi-redmi-3s")
    assert code == 0
    assert "unmeasured" in out
    assert "4100 mAh" in out


def test_show_takes_a_path_and_prints_one_json_document(capsys):
    path = save("fast", 1)
    code, out, _ = adadeep(capsys, "show", str(path), "--json")
    document = json.loads(out)
    assert (code, document["schema"]) == (0, "adadeep.profile/2")
    first, second = document["profile"]["entries"]
    assert first["latency_ms"]["low_ms"] < 1.0 < first["latency_ms"]["high_ms"]
    assert len(first["measurement"]["placements"][0]["blocks"][0]["times_ns"]) == 40
    assert second["measurement"] is None


def test_diff_names_the_slower_one(capsys):
    save("fast", 1)
    save("slow", 9)
    code, out, _ = adadeep(capsys, "diff", "fast", "slow")
    assert code == 0
    assert "slow takes 9.000 times as long as fast" in out
    code, out, _ = adadeep(capsys, "diff", "fast", "slow", "--json")
    document = json.loads(out)
    assert document["mean_ratio"] == pytest.approx(9.0)
    assert document["entries"][0]["overlaps"] is False


def test_validate_passes_the_shipped_ones_and_fails_a_broken_one(capsys):
    code, out, _ = adadeep(capsys, "validate")
    assert code == 0
    assert "12 checked, 0 wrong." in out
    path = save("fast", 1)
    path.write_text(path.read_text().replace('model = "fast"', "model = 3"))
    code, out, _ = adadeep(capsys, "validate")
    assert code == 2
    assert f"{path}: key 'facts.model'" in out
    assert "13 checked, 1 wrong." in out


def test_validate_names_the_line_and_key_of_a_bad_sample(capsys, library):
    save("fast", 1)
    table = next(library.glob("tables/fast/*.jsonl"))
    table.write_text(table.read_text().replace("1000000,", "0,"))
    code, out, _ = adadeep(capsys, "validate", "fast", "--json")
    assert code == 2
    (checked,) = json.loads(out)["checked"]
    where = "line 1: key 'measurement.placements[0].blocks[0]'"
    assert f"{where}: a time in ns is 0" in checked["problems"][0]


def test_a_name_that_is_not_there_is_a_usage_error(capsys):
    code, _, err = adadeep(capsys, "show", "xiaomi-redmi-4s")
    assert code == 2
    assert "Did you mean 'xiaomi-redmi-3s'?" in err


def test_path_is_the_users_library(capsys, library):
    assert adadeep(capsys, "path") == (0, f"{library}\n", "")


def test_the_file_of_a_profile_is_toml_that_names_its_version(capsys):
    assert tomllib.loads(save("fast", 1).read_text())["schema_version"] == 1
