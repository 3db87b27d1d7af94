"""docs/tutorial.md: its programs are written and its commands run, as a stranger would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

pytestmark = [pytest.mark.tf, pytest.mark.slow]
TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# No weights are downloaded, and as little is trained as shows that everything works.
SMALLER = (
    ('WEIGHTS = "imagenet"', 'WEIGHTS = "random.weights.h5"'),
    ("SIDE = 96", "SIDE = 32"),
    ("EPOCHS = 5", "EPOCHS = 1"),
    ('"steps": 50', '"steps": 4'),
    ("--episodes 8", "--episodes 2"),
    ("--max-accuracy-loss 5%", "--max-accuracy-loss 99%"),  # so short a training tells nothing
    ("--max-storage 500kB", "--max-storage 5MB"),  # nor do two plans
    ("--max-latency 5ms", "--max-latency 1s"),  # nor the time of a busy computer
)
# Stands for ImageNet's: random, but what passes through is neither lost nor grows beyond bounds.
WRITE_WEIGHTS = """
import keras

keras.utils.set_random_seed(0)
backbone = keras.applications.MobileNetV2(
    input_shape=(32, 32, 3), alpha=0.35, include_top=False, weights=None
)
for layer in backbone.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.momentum = 0.0  # the statistics of what it is called with
backbone(keras.random.uniform((16, 32, 32, 3), -1, 1, seed=0), training=True)
backbone.save_weights("random.weights.h5")
"""
PHOTOS = {"train": range(96), "val": range(96, 256), "test": range(256, 320)}


def blocks() -> list[tuple[str, str]]:
    """(language, text) in order, with the small numbers."""
    text = TUTORIAL.read_text()
    for long, short in SMALLER:
        assert text.count(long) == 1, long
        text = text.replace(long, short)
    return BLOCK.findall(text)


def write_photos(folder: Path) -> None:
    """Scans of three digits as PNG files of 24x24 pixels, larger than none and of one channel."""
    digits = load_digits(n_class=3)
    for part, numbers in PHOTOS.items():
        for number in numbers:
            place = folder / part / f"digit {digits.target[number]}"
            place.mkdir(parents=True, exist_ok=True)
            pixels = np.kron(digits.images[number] * 15.9, np.ones((3, 3))).astype(np.uint8)
            Image.fromarray(pixels).save(place / f"{number}.png")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos, and `python` and `adadeep` of this environment."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "bin").mkdir()
    for name, words in (("python", ""), ("adadeep", " -m adadeep")):
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable}{words} "$@"\n')
        program.chmod(0o755)
    write_photos(folder / "photos")
    return folder


def environment(place: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "XDG_CACHE_HOME": str(place / "cache"),
        "ADADEEP_LIBRARY": str(place / "library"),
        "COLUMNS": "100",
        "CUDA_VISIBLE_DEVICES": "",
    }


def done(place: Path, *words: str) -> str:
    """What a program prints, which must end well."""
    ended = subprocess.run(
        words, cwd=place, env=environment(place), capture_output=True, text=True,
        timeout=900, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, f"{words}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout + ended.stderr


def printed_program(text: str) -> str:
    """The program at the end of what `deploy` prints."""
    lines = text[text.index("    # ") :].splitlines()
    return "\n".join(line[4:] for line in lines if line.startswith("    ") or not line)


def test_a_stranger_comes_from_photos_to_a_network_that_runs(place: Path) -> None:
    said: dict[str, str] = {}
    done(place, "bin/python", "-c", WRITE_WEIGHTS)
    for language, text in blocks():
        if language == "python":
            name = text.splitlines()[0].removeprefix("# ")
            assert name.endswith(".py")
            (place / name).write_text(text)
        elif language == "sh":
            said[" ".join(text.split()[:2])] = done(place, "bash", "-ec", text)
    assert list(said) == [
        "python train.py", "adadeep techniques", "adadeep search", "adadeep compress",
        "adadeep deploy", "python run.py",
    ]  # fmt: skip
    assert "hidden" in said["adadeep techniques"]
    assert "layers are frozen and stay so" in said["adadeep search"]
    assert "what int8 costs by layer" in said["adadeep compress"]
    assert (place / "small.keras").exists()
    assert re.search(r"^class [0-2], \d+%", said["python run.py"], re.MULTILINE)
    (place / "runs/photos/printed.py").write_text(printed_program(said["adadeep deploy"]))
    assert "float32 [1, 3]" in done(place / "runs/photos", "../../bin/python", "printed.py")


def test_the_text_shows_output_and_no_place_holders() -> None:
    shown = [text for language, text in blocks() if language == "text"]
    assert len(shown) == 6
    assert all(len(line) <= 100 for text in shown for line in text.splitlines())
    assert not any(re.fullmatch(r"[A-Z]+\n", text) for text in shown)
