"""The noise of a device as a file of its profile, and what a profile says of a layer with it."""

import json
from dataclasses import replace

import pytest

from adadeep.core.errors import FormatError
from adadeep.core.noise import PRIOR
from adadeep.profiles import files, uses
from adadeep.profiles.layers import layer_estimate
from adadeep.profiles.schema import noise_from_json, noise_to_json
from adadeep.profiles.validation import problems_of
from fakes.profiled import DENSES, entry, profile

OWN = replace(PRIOR, state="of this device", cache_bytes=2**20)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    return tmp_path / "library"


def save(noise=OWN, name="box"):
    made = replace(profile(name=name), noise=noise)
    files.save(made)
    return made


def test_noise_is_saved_and_loaded_as_it_was(folder):
    made = save()
    assert files.load("box").noise == made.noise
    assert (folder / "noise" / "box.json").read_text().count("\n") > 10  # to be read and compared
    assert uses.noise_of(made.facts) == OWN
    assert noise_from_json(noise_to_json(PRIOR), "x") == PRIOR


def test_a_profile_without_noise_has_no_file_and_a_dropped_one_goes(folder):
    save()
    save(None)
    assert list((folder / "noise").iterdir()) == []
    assert files.load("box").noise is None
    assert uses.noise_of(profile().facts) is None


def test_noise_goes_with_its_profile(folder):
    save(name="box-unfinished")
    files.update(
        "box",
        lambda _: replace(files.load("box-unfinished"), name="box"),
        instead_of="box-unfinished",
    )
    assert [path.name for path in (folder / "noise").iterdir()] == ["box.json"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 99}, "version 99"),
        ({"references": []}, "0 references"),
        ({"cache_bytes": -1}, "cache_bytes is -1"),
        ({"surprise": 1}, "unknown key 'surprise'"),
        ({"references": "many"}, "references"),
    ],
)
def test_a_damaged_file_is_refused_in_one_sentence_and_measuring_does_without(
    folder, change, words
):
    save()
    path = folder / "noise" / "box.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(FormatError) as caught:
        files.load("box")
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "Or remove that file: adadeep-profile learns" in str(caught.value)
    found, problem = files.load_to_use("box")
    assert found.noise is None
    assert str(problem) == str(caught.value)
    assert uses.noise_of(found.facts) is None


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "null", "\xff"])
def test_what_is_no_noise_is_refused(text):
    with pytest.raises(FormatError):
        noise_from_json(text, "x")


# ---- layers, each with what our small network took beside it


def measured(ms, reference_ms, session):
    made = entry(DENSES[session % len(DENSES)], ms)
    one = replace(made.measurement, session=f"{session:016x}")
    return replace(made, measurement=one, reference_ms=reference_ms)


def test_a_layer_of_a_busy_second_is_told_by_its_ratio_to_the_reference():
    made = profile(measured(1.0, 0.1, 0), measured(1.0, 0.1, 1), measured(3.0, 0.3, 2))
    assert [made.latency_ms(one) for one in made.entries] == pytest.approx([1.0, 1.0, 1.0])


def test_where_the_reference_does_not_stray_its_ratio_adds_only_noise():
    made = profile(measured(1.0, 0.1, 0), measured(1.0, 0.1005, 1), measured(3.0, 0.0995, 2))
    assert [made.latency_ms(one) for one in made.entries] == [1.0, 1.0, 3.0]


def test_of_two_sessions_nobody_knows_which_was_the_busy_one():
    made = profile(measured(1.0, 0.1, 0), measured(3.0, 0.3, 1))
    assert [made.latency_ms(one) for one in made.entries] == [1.0, 3.0]


def test_sessions_count_once_however_many_layers_they_have():
    many = [measured(3.0, 0.3, 2)] * 9
    made = profile(measured(1.0, 0.1, 0), measured(1.0, 0.1, 1), *many)
    assert made.latency_ms(made.entries[-1]) == pytest.approx(1.0)


def test_a_layer_without_a_measurement_or_a_reference_is_as_it_is():
    alone = entry(DENSES[0], 7.0)
    failed = replace(alone, measurement=None, error="no")
    made = profile(measured(1.0, 0.1, 0), measured(1.0, 0.2, 1), measured(1.0, 0.3, 2), alone)
    assert made.latency_ms(alone) == 7.0
    assert made.latency_ms(failed) is None


def test_a_layers_interval_is_the_devices_and_moves_with_its_time():
    made = profile(measured(1.0, 0.1, 0), measured(1.0, 0.1, 1), measured(3.0, 0.3, 2))
    first, last = (layer_estimate(made, one) for one in (made.entries[0], made.entries[2]))
    assert first.median_ms == pytest.approx(last.median_ms) == pytest.approx(1.0)
    assert last.low_ms < 1.0 < last.high_ms
    assert last.high_ms == pytest.approx(first.high_ms, rel=0.2)
    wide = replace(made, noise=PRIOR)
    assert layer_estimate(wide, made.entries[0]) == first  # nothing better is known


def test_a_profile_with_noise_is_sound():
    assert problems_of(save()) == []
