"""Files of Keras networks: what is loaded, and what is refused in one sentence."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adadeep.core.errors import ConfigError

pytestmark = pytest.mark.tf


def load(path: Path, **settings: Any) -> Any:
    from adadeep.compress.load import load_model

    return load_model(path, **settings)


def small(*extra: Any, shape: tuple[int | None, ...] = (4,), loss: Any = None) -> Any:
    import keras
    from keras import layers

    x = keras.Input(shape, name="x")
    y = x
    for one in extra:
        y = one(y)
    model = keras.Model(x, layers.Dense(2, name="out")(y), name="small")
    if loss is not None:
        model.compile("adam", loss=loss)
    return model


def saved(model: Any, folder: Path, name: str = "model.keras") -> Path:
    model.save(folder / name)
    return folder / name


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_network_comes_with_its_weights_and_how_it_was_compiled(
    tmp_path: Path, name: str
) -> None:
    import keras

    model = small(loss="mse")
    again = load(saved(model, tmp_path, name))
    x = np.ones((2, 4), np.float32)
    assert np.asarray(again(x)) == pytest.approx(np.asarray(model(x)))
    assert again.compiled
    assert again.loss in ("mse", keras.losses.mean_squared_error)


def test_what_is_no_file_of_keras_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "folder.keras").mkdir()
    for name, content in (("m.tflite", b"TFL3"), ("m.bin", b""), ("m.keras", b"no zip")):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "m.h5").write_bytes(b"no hdf5")
    with zipfile.ZipFile(tmp_path / "deep.keras", "w") as archive:
        archive.writestr("config.json", "[" * 100_000)
    for name, said in (
        ("missing.keras", "is not there; give a .keras file"),
        ("folder.keras", "is a folder (a SavedModel?)"),
        ("m.tflite", "to compress it give the Keras network it came from"),
        ("m.bin", r"save it by model.save('model.keras')"),
        ("m.keras", "holds no Keras network (File is not a zip file)"),
        ("m.h5", "holds no Keras network"),
        ("deep.keras", "nested too deeply"),
    ):
        with pytest.raises(ConfigError) as caught:
            load(tmp_path / name)
        assert said in str(caught.value)


def test_a_file_of_weights_alone_is_none_of_a_network(tmp_path: Path) -> None:
    small().save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ConfigError, match="holds weights alone, not the network"):
        load(tmp_path / "m.weights.h5")


def test_code_in_a_file_is_run_only_if_it_is_trusted(tmp_path: Path) -> None:
    from keras import layers

    for name in ("model.keras", "model.h5"):
        model = small(layers.Lambda(lambda x: x * 2.0, output_shape=(4,), name="double"))
        path = saved(model, tmp_path, name)
        with pytest.raises(ConfigError, match=r"'double' is a Lambda.*--trust-model"):
            load(path)
        assert load(path, trust=True).get_layer("double")


def test_a_layer_that_keras_does_not_have_needs_to_be_given(tmp_path: Path) -> None:
    import keras

    class Doubling(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 2

    path = saved(small(Doubling(name="double")), tmp_path)
    with pytest.raises(ConfigError, match=r"'double' is of the class 'Doubling'.*custom_objects"):
        load(path)
    assert load(path, custom_objects={"Doubling": Doubling}).get_layer("double")
    keras.saving.get_custom_objects().clear()


def test_channels_first_is_refused_by_the_layers_name(tmp_path: Path) -> None:
    from keras import Input, Model, layers

    image = Input((3, 8, 8), name="image")
    convolution = layers.Conv2D(4, 3, data_format="channels_first", name="conv")
    path = saved(Model(image, convolution(image)), tmp_path)
    with pytest.raises(ConfigError, match=r"layer 'conv' is channels_first, .*channels_last"):
        load(path)


def test_a_loss_of_ones_own_is_asked_for_unless_it_is_not_needed(tmp_path: Path) -> None:
    def their_loss(y: Any, z: Any) -> Any:
        return (y - z) ** 2

    path = saved(small(loss=their_loss), tmp_path)
    with pytest.raises(
        ConfigError, match=r"how it was compiled can't be restored.*returns a loss"
    ):
        load(path)
    assert not load(path, compiled=False).compiled


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((None, None, 3), r"input 'x' leaves its height or width open.*Input\(\(224, 224, 3\)"),
        ((None, 4), r"input 'x' leaves a size open \(None, 4\)"),
    ],
)
def test_open_sizes_are_refused_with_what_to_do(
    tmp_path: Path, shape: tuple[int | None, ...], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        load(saved(small(shape=shape), tmp_path))


def test_layers_that_take_text_are_refused_by_name(tmp_path: Path) -> None:
    import keras
    from keras import layers

    x = keras.Input((4,), dtype="int64", name="x")
    y = layers.Hashing(num_bins=4, name="hash", output_mode="multi_hot")(x)
    path = saved(keras.Model(x, layers.Dense(2)(y)), tmp_path)
    with pytest.raises(ConfigError, match=r"layer 'hash' \(Hashing\) can't be converted"):
        load(path)


def test_a_network_that_keras_stumbles_over_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = saved(small(), tmp_path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["layers"][1]["config"]["units"] = -1
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ConfigError, match=r"can't load .*save it again") as caught:
        load(path)
    assert "\n" not in str(caught.value)
