"""`adadeep measure` on this computer for models whose inputs are not simply images."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from adadeep.cli.main import cli, run
from adadeep.profiles import files
from fakes.own_profile import save_own_profile
from fakes.tflite_models import ROWS, Input, add, gather, relu

WIDTH = relu(Input("image", "FLOAT32", (1, 1, 1, 3), (-1, -1, -1, 3)))


@pytest.fixture
def measure(tmp_path, capfd, monkeypatch):
    """Runs `adadeep measure`; gives the exit code, stdout and stderr."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")  # so that no cell is wrapped

    def call(content, *arguments):
        path = tmp_path / "m.tflite"
        path.write_bytes(content)
        words = ["measure", path, "-d", "local", "--max-seconds", "0.05", "--launches", "1"]
        code = run(cli, [str(word) for word in (*words, *arguments)])
        return code, *capfd.readouterr()

    return call


def test_a_device_with_a_profile_has_a_session_more_after_each(measure, tmp_path, monkeypatch):
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    assert measure(gather())[0] == 0
    assert not (tmp_path / "library").exists()
    name = save_own_profile()
    for arguments in ((), ("--input-range", "0..1"), ("--threads", "2")):
        code, out, err = measure(gather(), *arguments, "--json")
        assert (code, "session" in err) == (0, False)
        [device] = json.loads(out)["measurements"]
        measured = device["session"]["measurements"][0]
        session = files.load(name).sessions[-1]
        assert session.command == "measure"
        assert session.models == 2 * len(device["session"]["measurements"])  # and those of a probe
        kept = session.reference and session.reference.latency_ms
        if arguments[:1] == ("--input-range",):
            assert kept is None
        elif not measured["disturbed"]:
            assert kept == pytest.approx(device["models"][0]["latency_ms"]["median_ms"])
    assert len(files.load(name).sessions) == 3


def test_a_profile_that_can_not_be_written_is_a_warning(measure, tmp_path, monkeypatch):
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    save_own_profile()
    (tmp_path / "library" / "sessions").write_text("no folder")
    code, out, err = measure(gather(), "--json")
    assert (code, len(json.loads(out)["measurements"])) == (0, 1)
    assert "warning: this session is not noted in the device's profile: " in err
    assert "can't be written" in err


def inputs(out):
    """Of the only model of a document."""
    [device] = json.loads(out)["measurements"]
    return device["session"]["measurements"][0]["inputs"]


def test_indices_need_nothing_from_the_user_and_the_json_says_what_was_fed(measure):
    code, out, err = measure(gather(), "--json")
    assert code == 0, err
    assert inputs(out) == [
        {"name": "tokens", "dtype": "int32", "shape": [1, 3], "signature": [1, 3], "fed": "zeros"}
    ]


def test_an_index_out_of_range_names_the_option(measure):
    code, out, err = measure(gather(), "--input-range", f"0..{1000 * ROWS}")
    assert (code, out) == (2, "")
    assert "out of range" in err
    assert "--input-range LOW..HIGH" in err


def test_an_open_batch_is_measured_as_one_and_said(measure):
    code, out, err = measure(relu(Input("x", "FLOAT32", (1, 4), (-1, 4))))
    assert code == 0, err
    assert "input x" in out
    assert "float32 1x4, random 0..1; the model leaves the batch open: 1 was measured" in out


def test_another_open_size_has_to_be_named_and_is_then_measured_and_shown(measure):
    code, out, err = measure(WIDTH)
    assert (code, out) == (2, "")
    assert "--input-shape 1,224,224,3" in err
    code, out, err = measure(WIDTH, "--input-shape", "1,8,6,3")
    assert code == 0, err
    assert "float32 1x8x6x3" in out


def test_a_file_gives_values_and_sizes(measure, tmp_path):
    np.savez(tmp_path / "x.npz", image=np.zeros((1, 4, 5, 3), "f4"))
    code, out, err = measure(WIDTH, "--inputs", tmp_path / "x.npz", "--json")
    assert code == 0, err
    [fed] = inputs(out)
    assert (fed["shape"], fed["fed"]) == ([1, 4, 5, 3], "file")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (relu(Input("words", "STRING", (1,))), "only numbers can be fed"),
        (gather(Input("XYZW")).replace(b"XYZW", b"\xff\xfeZW"), "can't load the model"),
    ],
)
def test_what_can_not_be_fed_is_bad_input(measure, model, words):
    code, out, err = measure(model)
    assert (code, out) == (2, "")
    assert words in err
    assert "fault" not in err


def test_two_inputs_get_values_of_their_own(measure):
    two = add(Input("a", "FLOAT32", (1, 2)), Input("b", "FLOAT32", (1, 2)))
    code, out, err = measure(two, "--input-range", "a=5..6", "--json")
    assert code == 0, err
    assert [given["fed"] for given in inputs(out)] == ["range 5..6", "random 0..1"]


def test_help_explains_the_options():
    text = CliRunner().invoke(cli, ["measure", "--help"]).output
    assert all(option in text for option in ("--input-range", "--input-shape", "--inputs"))
