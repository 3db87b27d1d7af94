"""Files that Keras 2 wrote (tests/data/keras2) are loaded as networks of Keras 3, or refused."""

from __future__ import annotations

import copy
import json
import random
import shutil
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from adadeep.compress.load import load_model
from adadeep.core.errors import ConfigError

FILES = Path(__file__).parents[2] / "data/keras2"
WHOLE = ("photos", "pair", "maps", "settings", "names", "small")


def ends(name: str) -> tuple[Any, Any]:
    with np.load(FILES / f"{name}.npz") as found:
        several = [found[key] for key in ("x0", "x1") if key in found]
        return several or found["x"], found["y"]


@pytest.mark.parametrize("name", WHOLE)
def test_they_give_what_they_gave_in_keras_2_and_can_be_saved_in_keras_3(
    name: str, tmp_path: Path
) -> None:
    x, y = ends(name)
    network = load_model(FILES / f"{name}.h5")
    assert np.asarray(network(x, training=False)) == pytest.approx(y, rel=1e-6, abs=1e-6)
    network.save(tmp_path / "now.keras")
    again = keras.models.load_model(tmp_path / "now.keras")  # nothing of ours is in it
    assert np.asarray(again(x, training=False)) == pytest.approx(y, rel=1e-6, abs=1e-6)


def test_how_they_were_compiled_is_known() -> None:
    network = load_model(FILES / "photos.h5")
    assert keras.losses.get(network.loss) is keras.losses.sparse_categorical_crossentropy
    assert isinstance(network.optimizer, keras.optimizers.Adam)


def test_the_file_stays_as_it_is(tmp_path: Path) -> None:
    file = Path(shutil.copy(FILES / "maps.h5", tmp_path))
    file.chmod(0o444)
    load_model(file)
    assert file.read_bytes() == (FILES / "maps.h5").read_bytes()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unknown.h5", "has tf.math.erf, which nothing here stands for"),
        ("gate.h5", "has hard_sigmoid in 'gate', which nothing here"),  # another one in Keras 3
        ("swapped.h5", "the weights of 'a' came to another layer|of 'b' came to another"),
        ("open.h5", "input 'photo' leaves its height or width open"),
        ("masked.h5", "has masks that are merged"),
        ("keras2.keras", r"which Keras 2 saved; in Keras 2 save it by model.save\('model.h5'\)"),
    ],
)
def test_what_can_not_be_carried_over_is_said(name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        load_model(FILES / name)
    assert "\n" not in str(caught.value)


def places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every container and key in a configuration."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, inner in pairs:
        found.append((value, key))
        places(inner, found)
    return found


@pytest.mark.parametrize("name", ["photos", "pair", "maps"])
def test_damaged_ones_are_one_sentence_or_still_a_network(name: str, tmp_path: Path) -> None:
    source = random.Random(name)
    with h5py.File(FILES / f"{name}.h5") as file:
        config = json.loads(file.attrs["model_config"])
    said = []
    for number in range(30):
        damaged = copy.deepcopy(config)
        where, key = source.choice(places(damaged, []))
        where[key] = source.choice([None, [], {}, "x", -1, 77, [["x", 0, 0]], {"name": [1]}])
        broken = Path(shutil.copy(FILES / f"{name}.h5", tmp_path / f"{number}.h5"))
        with h5py.File(broken, "r+") as file:
            file.attrs["model_config"] = json.dumps(damaged)
        try:
            load_model(broken)
        except ConfigError as error:
            said.append(str(error))
    assert len(said) > 2
    assert all("\n" not in text and str(tmp_path) in text for text in said)
