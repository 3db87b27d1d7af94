"""A user's own network and data: what is taken and inferred, and one sentence for the rest."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adadeep.core.compressed import Compressed
from adadeep.core.errors import ConfigError
from adadeep.core.own_task import OwnTask
from adadeep.core.rows import Several, each
from adadeep.core.scores import judged
from adadeep.core.task import Training, full_steps_of, learns_from_teacher, train_by
from adadeep.training.tasks import LoadedTask

pytestmark = pytest.mark.tf

COUNT = 120


def classes(count: int = COUNT, shape: tuple[int, ...] = (6, 6, 1)) -> dict[str, Any]:
    """Images of three classes, which a linear network can tell apart."""
    rng = np.random.default_rng(0)
    y = np.arange(count) % 3
    x = rng.random((count, *shape)).astype(np.float32)
    x[:, :2, :2] += y.reshape(-1, *[1] * len(shape))
    return {"x": x, "y": y}


def network(outputs: int = 3, activation: str | None = "softmax", shape: Any = (6, 6, 1)) -> Any:
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape, name="image")
    x = layers.Dense(8, activation="relu", name="hidden")(layers.Flatten(name="flat")(inputs))
    return keras.Model(inputs, layers.Dense(outputs, activation, name="end")(x))


def segmenter(outputs: int = 3, activation: str = "softmax") -> Any:
    import keras
    from keras import layers

    inputs = keras.Input((6, 6, 1))
    return keras.Model(inputs, layers.Conv2D(outputs, 1, activation=activation)(inputs))


class Folder:
    """Where a user keeps a network and data."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, model: Any, members: dict[str, Any] | None = None, **own: Any) -> LoadedTask:
        from adadeep.training.own import load_own

        model.save(self.path / "mine.keras")
        if members is not None:
            np.savez(self.path / "data.npz", **members)
        own = {"data": "data.npz", "search_path": str(self.path), **own}
        return load_own(OwnTask(str(self.path / "mine.keras"), **own))

    def module(self, name: str, text: str) -> None:
        (self.path / f"{name}.py").write_text(textwrap.dedent(text))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_an_npz_is_a_task_of_four_parts_that_share_nothing(folder):
    task = folder.load(network(), classes())
    data = task.data
    parts = [data.x_train, data.x_val, data.x_held, data.x_test]
    assert sum(map(len, parts)) == COUNT
    assert len(np.unique(np.concatenate(parts), axis=0)) == COUNT
    assert set(data.y_held.tolist()) == {0, 1, 2}  # of each class its share
    assert np.bincount(data.y_train).tolist() == [20, 20, 20]
    assert task.is_trained
    assert task.recipe.base_steps == 0
    assert task.metric.name == "accuracy"
    assert (task.network.name, task.title) == ("mine", "mine.keras with data.npz")
    assert data.class_names == ("0", "1", "2")
    again = folder.load(network(), classes())
    assert all(
        np.array_equal(getattr(data, name), getattr(again.data, name))
        for name in ("x_train", "y_train", "x_held", "x_test")
    )
    assert repr(task.recipe) == repr(again.recipe)


def test_a_trained_network_that_names_a_class_teaches_the_compressed_ones(folder):
    taught = folder.load(network(), classes()).recipe
    assert learns_from_teacher(taught)
    assert "half of the loss by the initial network's outputs" in taught.title
    by_labels = folder.load(network(), classes(), untrained=True).recipe
    assert not learns_from_teacher(by_labels)


@pytest.mark.parametrize(
    ("side", "batch"),
    [(32, 32), (1024, 7), (4096, 4)],  # 2 GB over 4 bytes of 64 channels and one of input a pixel
)
def test_as_many_samples_a_step_as_memory_holds(side, batch):
    from keras import Input, Model, layers

    from adadeep.training.own_recipe import _batch

    image = Input((side, side, 1))
    maps = layers.Conv2D(64, 3, padding="same")(image)
    assert _batch(Model(image, layers.GlobalAveragePooling2D()(maps))) == batch


def test_a_network_is_trained_by_what_its_labels_tell(folder):
    model = network()
    task = folder.load(model, classes(), untrained=True)
    recipe, built = task.recipe, task.network.build((), 0, 0)
    before = built.get_weights()

    def quality() -> float:
        from adadeep.training.fit import outputs_of

        return judged(task.metric, outputs_of(built, task.data.x_test), task.data.y_test).quality

    train_by(recipe, Compressed(built), task.data, Training(0, 3, recipe.base_rate))
    assert all(map(np.array_equal, before, built.get_weights()))
    train_by(recipe, Compressed(built), task.data, Training(150, 3, 1e-2))
    assert quality() > 0.8
    assert recipe.base_steps > recipe.fine_tune_steps > 0
    assert full_steps_of(recipe) == 4 * recipe.fine_tune_steps
    assert not learns_from_teacher(recipe)


@pytest.mark.parametrize(
    ("activation", "outputs", "labels", "loss", "metric"),
    [
        ("softmax", 3, "numbers", "sparse_categorical_crossentropy ", "accuracy"),
        (None, 3, "numbers", "sparse_categorical_crossentropy of logits", "accuracy"),
        ("softmax", 3, "hot", "categorical_crossentropy ", "accuracy"),
        ("sigmoid", 1, "flags", "binary_crossentropy ", "accuracy"),
        (None, 1, "flags", "binary_crossentropy of logits", "accuracy"),
        ("sigmoid", 4, "many flags", "binary_crossentropy ", "accuracy"),
        (None, 1, "values", "mean_squared_error ", "mean_error"),
        (None, 4, "many values", "mean_squared_error ", "mean_error"),
    ],
)
def test_outputs_and_labels_tell_loss_and_metric(
    folder, activation, outputs, labels, loss, metric
):
    members = classes()
    y = members["y"]
    members["y"] = {
        "numbers": y, "hot": np.eye(3)[y], "flags": y % 2, "values": y * 1.5 - 1,
        "many flags": np.eye(4)[y] + np.eye(4)[3], "many values": np.ones((1, 4)) * y[:, None],
    }[labels]  # fmt: skip
    task = folder.load(network(outputs, activation), members)
    assert task.recipe.title.startswith(loss)
    assert task.metric.name == metric
    train_by(task.recipe, Compressed(task.network.model), task.data, Training(2, 0, 1e-3))
    outputs = np.asarray(task.network.model(task.data.x_held))
    assert judged(task.metric, outputs, task.data.y_held).count == len(task.data.x_held)


@pytest.mark.parametrize("channel", [(), (1,)])
def test_maps_of_classes_are_judged_by_their_overlap(folder, channel):
    x = classes()["x"]
    y = (x[..., 0] > 0.5).astype(np.uint8).reshape(COUNT, 6, 6, *channel)
    task = folder.load(segmenter(), {"x": x, "y": y})
    assert task.metric.name == "iou"
    train_by(task.recipe, Compressed(task.network.model), task.data, Training(2, 0, 1e-3))
    marked = folder.load(segmenter(1, "sigmoid"), {"x": x, "y": y}, metric="iou")
    assert 0 <= judged(marked.metric, y[..., None] * 1.0, y).quality == 1.0


@pytest.mark.parametrize(("outputs", "activation"), [(2, "softmax"), (1, "sigmoid"), (1, None)])
def test_f1_is_of_class_1_and_its_few_samples_are_said(folder, outputs, activation):
    x, y = classes()["x"], (np.arange(COUNT) % 6 == 0).astype(np.int64)
    task = folder.load(network(outputs, activation), {"x": x, "y": y}, metric="f1")
    held = task.data.y_held
    found = np.where(held.reshape(-1) == 1, 5.0, -5.0)
    found[np.flatnonzero(found > 0)[0]] = -5.0  # one is missed
    given = found.reshape(-1, 1) if outputs == 1 else np.stack([-found, found], axis=1)
    given = 1 / (1 + np.exp(-given)) if activation else given
    scores, positive = judged(task.metric, given, held), int(held.sum())
    assert scores.quality == pytest.approx((2 * positive - 2) / (2 * positive - 1))
    assert any(f"{positive} of them of class 1, can rule out" in note for note in task.notes)


def test_several_inputs_and_outputs_go_by_their_names(folder):
    import keras
    from keras import layers

    a, b = keras.Input((4,), name="left"), keras.Input((2,), name="right")
    x = layers.Concatenate()([a, b])
    kind = layers.Dense(3, "softmax", name="kind")(x)
    size = layers.Dense(1, name="size")(x)
    rng = np.random.default_rng(0)
    members = {
        "left": rng.random((COUNT, 4)), "right": rng.random((COUNT, 2)),
        "kind": np.arange(COUNT) % 3, "size": rng.random(COUNT),
    }  # fmt: skip
    for outputs in ([kind, size], {"size": size, "kind": kind}):
        task = folder.load(keras.Model({"left": a, "right": b}, outputs), members)
        assert isinstance(task.data.x_train, Several)
        assert {array.shape[1:] for array in each(task.data.y_val)} == {()}
        train_by(task.recipe, Compressed(task.network.model), task.data, Training(2, 0, 1e-3))
        from adadeep.training.fit import outputs_of

        given = outputs_of(task.network.model, task.data.x_val)
        assert judged(task.metric, given, task.data.y_val).count == len(task.data.x_val)
        assert {"accuracy of kind", "mean error of size"} == set(task.metric.title.split(", "))
    flags = layers.Dense(1, "sigmoid", name="flag")(x)
    with pytest.raises(ConfigError, match="F1 judges a network of one output"):
        folder.load(
            keras.Model([a, b], [kind, flags]),
            members | {"flag": np.arange(COUNT) % 2}, metric="f1",
        )  # fmt: skip
    only = folder.load(keras.Model([a, b], [kind, size]), members, metric="accuracy")
    assert only.metric.title == "accuracy of kind"


def test_no_group_is_in_two_parts_and_parts_named_for_testing_stay_so(folder):
    members = classes()
    members["subject"] = np.arange(COUNT) // 6
    members["x"][:, 5, 5, 0] = members["subject"]
    task = folder.load(network(), members)
    seen = [
        set(getattr(task.data, f"x_{part}")[:, 5, 5, 0].tolist())
        for part in ("train", "val", "held", "test")
    ]
    assert sum(map(len, seen)) == len(set.union(*seen)) == 20
    assert any("too narrow" in note for note in task.notes)
    named = {**classes(), **{f"{k}_test": v[:9] for k, v in classes().items()}}
    assert len(folder.load(network(), named).data.x_test) == 9
    val = {f"{k}_val": v[:30] for k, v in classes().items()}
    task = folder.load(network(), {**named, **val})
    counts = [len(getattr(task.data, f"x_{part}")) for part in ("train", "val", "held", "test")]
    assert counts == [COUNT, 20, 10, 9]


def test_without_labels_the_network_itself_is_what_is_learnt(folder):
    members = {"x": classes()["x"]}
    task = folder.load(network(), members)
    assert task.metric.name == "agreement"
    assert learns_from_teacher(task.recipe)
    assert task.data.are_labels_its_own
    model = task.network.model
    outputs = np.asarray(model(task.data.x_held))
    assert judged(task.metric, outputs, task.data.y_held).quality == 1.0
    wanted = np.asarray(model(task.data.x_train))
    model.get_layer("hidden").kernel.assign(np.asarray(model.get_layer("hidden").kernel) * 0.7)

    def far() -> float:
        return float(np.abs(np.asarray(model(task.data.x_train)) - wanted).mean())

    before = far()
    train_by(task.recipe, Compressed(model), task.data, Training(60, 0, 5e-3))
    assert far() < before / 2
    assert len(task.data.trained_on) == 1  # its labels follow from the rest
    with pytest.raises(ConfigError, match="leave out --untrained"):
        folder.load(network(), members, untrained=True)


def test_a_balanced_accuracy_has_as_many_samples_of_each_class(folder):
    members = classes()
    members["y"] = np.minimum(np.arange(COUNT) % 10, 2)  # 12, 12 and 96
    task = folder.load(network(), members, metric="balanced_accuracy")
    for part in ("val", "held", "test"):
        counts = np.bincount(getattr(task.data, f"y_{part}"))
        assert counts.min() == counts.max() > 0
    assert any("classes are uneven: 12 to 96" in note for note in task.notes)
    assert np.bincount(task.data.y_train).max() > 40


def test_images_stay_bytes_and_what_is_not_scaled_is_said(folder):
    members = classes()
    members["x"] = (members["x"] * 100).astype(np.uint8)
    task = folder.load(network(), members)
    assert task.data.x_train.dtype == np.uint8
    assert any("they are fed as they are" in note for note in task.notes)
    train_by(task.recipe, Compressed(task.network.model), task.data, Training(2, 0, 1e-3))
    half = {**classes(), "x": classes()["x"].astype(np.float16)}
    assert folder.load(network(), half).data.x_train.dtype == np.float32
    assert folder.load(network(), {**half, "x": half["x"][..., 0]}).data.input_shape == (6, 6, 1)


def test_a_network_that_was_compiled_is_trained_as_it_says(folder):
    import keras

    model = network(activation=None)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.02), loss)
    recipe = folder.load(model, classes()).recipe
    assert recipe.title.startswith("sparse_categorical_crossentropy (as compiled)")
    assert (recipe.base_rate, recipe.fine_tune_rate) == (0.02, pytest.approx(0.002))
    hot = {**classes(), "y": np.eye(3)[classes()["y"]]}
    assert "categorical" in folder.load(model, hot).recipe.title  # its sister


TRAIN = """
    import keras
    def own(y, outputs):
        return keras.ops.mean(keras.ops.abs(keras.ops.one_hot(y, 3) - outputs), axis=-1)
    def how():
        print("to nobody's stdout")
        return {"loss": own, "learning_rate": 0.01, "class_weight": {0: 2.0}, "batch_size": 16,
                "steps": 7, "optimizer": keras.optimizers.SGD(momentum=0.9),
                "augment": lambda x: x * 1.0}
"""


def test_a_function_says_how_to_train(folder, capsys):
    folder.module("says_how", TRAIN)
    task = folder.load(network(), classes(), train="says_how:how")
    recipe = task.recipe
    assert capsys.readouterr().out == ""
    assert (recipe.base_rate, recipe.batch_size, recipe.fine_tune_steps) == (0.01, 16, 7)
    assert "SGD" in recipe.says
    assert "0x" not in repr(recipe)  # it is a key: the same for who starts again
    weights = task.data.weights_train
    y = task.data.y_train
    assert weights[y == 0][0] == pytest.approx(2 * weights[y == 1][0])
    before = task.network.model.get_weights()
    train_by(recipe, Compressed(task.network.model), task.data, Training(3, 0, 0.01))
    assert not all(map(np.array_equal, before, task.network.model.get_weights()))


def test_what_is_frozen_stays_and_normalisations_keep_their_statistics(folder):
    import keras
    from keras import layers

    inputs = keras.Input((6, 6, 1))
    x = layers.Conv2D(4, 3, name="conv")(inputs)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    model = keras.Model(inputs, layers.Dense(3, "softmax", name="end")(x))
    model.get_layer("conv").trainable = False
    found = []
    for untrained in (False, True):
        task = folder.load(model, classes(), untrained=untrained)
        built = task.network.model
        before = [np.asarray(v).copy() for v in built.variables]
        train_by(task.recipe, Compressed(built), task.data, Training(4, 0, 1e-2))
        changed = {
            v.path
            for v, b in zip(built.variables, before, strict=True)
            if not (v == b).numpy().all()
        }
        found.append({path for path in changed if "seed" not in path})
        assert any("1 layers are frozen" in note for note in task.notes)
    assert found[0] == {"end/kernel", "end/bias"}
    assert found[1] >= {"norm/gamma", "norm/moving_mean", "end/kernel"}
    assert not {path for path in found[1] if path.startswith("conv")}


def test_the_same_seed_gives_the_same_weights_whatever_is_drawn(folder):
    import keras
    from keras import layers

    inputs = keras.Input((6, 6, 1))
    x = layers.RandomTranslation(0.2, 0.2)(inputs)
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    model = keras.Model(inputs, layers.Dense(3, "softmax")(x))
    weights = []
    for seed in (1, 1, 2):
        task = folder.load(model, classes())
        train_by(task.recipe, Compressed(task.network.model), task.data, Training(4, seed, 1e-2))
        weights.append(task.network.model.get_weights()[-2])
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


AUGMENT = """
    import keras
    def one():
        return {"augment": keras.layers.RandomTranslation(0.3, 0.3)}
    class Own(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = keras.Sequential([keras.layers.RandomTranslation(0.3, 0.3)])
        def call(self, x, training=None):
            return self.inner(x, training=training)
    def held():
        return {"augment": Own()}
    def several():
        layers = [keras.layers.RandomFlip(), keras.layers.RandomTranslation(0.3, 0.3)]
        return {"augment": keras.Sequential(layers)}
"""


@pytest.mark.parametrize("how", ["one", "held", "several"])
def test_layers_that_augment_draw_by_the_seed_however_often_they_did(folder, how):
    folder.module("augments", AUGMENT)
    task = folder.load(network(), classes(), train=f"augments:{how}")
    before, weights = task.network.model.get_weights(), []
    for seed in (1, 1, 2):
        task.network.model.set_weights(before)
        train_by(task.recipe, Compressed(task.network.model), task.data, Training(4, seed, 1e-2))
        weights.append(task.network.model.get_weights()[0])
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


DATA = """
    import numpy as np
    import tensorflow as tf
    y = np.arange(120) % 3
    x = np.random.default_rng(0).random((120, 6, 6, 1)).astype(np.float32)
    def pair(): print("noise"); return x, y
    def pairs(): return (x, y), (x[:30], y[:30])
    def weighted(): return x, y, 1.0 + y
    def members(): return {"x": x, "y": y, "class_names": ["a", "b", "c"]}
    def a_set(): return tf.data.Dataset.from_tensor_slices((x, y)).shuffle(50)
    def sets():
        s = tf.data.Dataset.from_tensor_slices((x, y))
        return s.batch(32), s.take(30).batch(16)
    def of_bytes(): return tf.data.Dataset.from_tensor_slices(((x * 255).astype("u1"), y)).batch(7)
    def unlabelled(): return tf.data.Dataset.from_tensor_slices(x)
    def endless(): return tf.data.Dataset.from_tensor_slices((x, y)).repeat()
    def empty(): return tf.data.Dataset.from_tensor_slices((x, y)).take(0)
    def failing():
        def bad(a, b): raise RuntimeError("no such row")
        s = tf.data.Dataset.from_tensor_slices((x, y))
        return s.map(lambda a, b: (tf.py_function(lambda v: bad(v, v), [a], tf.float32), b))
    def leaving(): raise SystemExit(3)
    def raising(): raise KeyError("rows")
    def nothing(): return None
    def ragged(): return {"x": [[1], [1, 2]], "y": y}
    number = 5
"""


@pytest.mark.parametrize(
    "name", ["pair", "pairs", "weighted", "members", "a_set", "sets", "of_bytes"]
)
def test_a_function_gives_the_data_in_many_forms(folder, name, capsys):
    folder.module("gives_data", DATA)
    task = folder.load(network(), data=f"gives_data:{name}")
    data = task.data
    presplit = name in ("pairs", "sets")
    assert len(data.x_test) == (30 if presplit else 18)
    assert len(data.x_train) + len(data.x_val) + len(data.x_held) == (120 if presplit else 102)
    assert (data.weights_train is not None) == (name == "weighted")
    assert data.class_names == (tuple("abc") if name == "members" else tuple("012"))
    assert data.x_train.dtype == (np.uint8 if name == "of_bytes" else np.float32)
    assert isinstance(data.x_train, np.memmap) == (name in ("a_set", "sets", "of_bytes"))
    train_by(task.recipe, Compressed(task.network.model), data, Training(2, 0, 1e-3))
    assert capsys.readouterr().out == ""


def test_a_set_without_labels_is_taken(folder):
    folder.module("gives_more", DATA)
    assert folder.load(network(), data="gives_more:unlabelled").metric.name == "agreement"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("endless", r"never ends; leave out its repeat"),
        ("empty", "is empty; give 50"),
        ("failing", "gives what can't be read"),
        ("leaving", "fails .SystemExit: 3.; mend it"),
        ("raising", "fails .KeyError: 'rows'.; mend it"),
        ("nothing", "it is NoneType"),
        ("ragged", "can't be read"),
        ("number", "is no function"),
        ("missing", "can't be imported .AttributeError"),
    ],
)
def test_a_function_that_gives_no_data_is_one_sentence(folder, name, words):
    folder.module("gives_none", DATA)
    with pytest.raises(ConfigError, match=words) as caught:
        folder.load(network(), data=f"gives_none:{name}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["1 / 0", "raise SystemExit", "import nothing_of_the_kind", "(("])
def test_a_module_that_can_not_be_imported_is_one_sentence(folder, text):
    folder.module("broken_module", text)
    with pytest.raises(ConfigError, match="can't be imported"):
        folder.load(network(), data="broken_module:data")


def images(folder: Path, sizes: Any = ((9, 7), (6, 6)), count: int = 20) -> None:
    import tensorflow as tf

    for number, name in enumerate(("cat", "dog", "eel")):
        (folder / name).mkdir(parents=True)
        for place in range(count):
            size = sizes[place % len(sizes)]
            pixels = np.full((*size, 3), 60 * number + place, np.uint8)
            file, encode = ("png", tf.io.encode_png) if place % 2 else ("jpg", tf.io.encode_jpeg)
            (folder / name / f"{place}.{file}").write_bytes(encode(pixels).numpy())


def test_a_folder_of_images_is_a_class_a_folder(folder):
    images(folder.path / "photos")
    task = folder.load(network(), data="photos")
    assert task.data.class_names == ("cat", "dog", "eel")
    assert task.data.x_train.dtype == np.uint8
    x, y = task.data.x_train, task.data.y_train
    assert all(
        abs(int(image.mean()) - 60 * label - 10) <= 11 for image, label in zip(x, y, strict=True)
    )
    images(folder.path / "split" / "train")
    images(folder.path / "split" / "test", count=4)
    assert len(folder.load(network(), data="split").data.x_test) == 12


def test_a_folder_that_holds_no_images_is_one_sentence(folder):
    (folder.path / "photos" / "cat").mkdir(parents=True)
    with pytest.raises(ConfigError, match="holds 1 folders"):
        folder.load(network(), data="photos")
    (folder.path / "photos" / "dog").mkdir(parents=True)
    with pytest.raises(ConfigError, match="holds no image"):
        folder.load(network(), data="photos")
    for name in ("cat", "dog"):
        (folder.path / "photos" / name / "1.png").write_bytes(b"\x89PNG cut off")
    with pytest.raises(ConfigError, match=r"1\.png is no image"):
        folder.load(network(), data="photos")
    with pytest.raises(ConfigError, match=r"a network of one input of .height"):
        folder.load(network(shape=(36,)), data="photos")


def bad(**changes: Any) -> dict[str, Any]:
    return {**classes(), **changes}


X, Y = classes()["x"], classes()["y"]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "holds nothing; the samples must be called x"),
        ({"a": X}, "holds a; the samples must be called x .and the labels y"),
        (bad(x=X[:, :5]), r"are of shape \(5, 6, 1\), the network takes \(6, 6, 1\)"),
        (bad(x=X.astype(complex)), "are complex128; give numbers"),
        (bad(x=np.full(X.shape, "a")), "give numbers: uint8 or float32"),
        (bad(x=np.where(X > 1, np.nan, X)), "hold NaN"),
        (bad(x=X.astype(float) * 1e300), "not finite"),
        (bad(x=X[:9]), "different lengths .9, 120 rows"),
        (bad(x=np.float32(1)), "different lengths .no, 120"),
        (bad(x=X[:0], y=Y[:0]), "there are no samples; give 50"),
        (bad(x=X[:30], y=Y[:30]), "there are 30 samples .*give 50 or more"),
        (bad(y=Y + 1), "from 1 to 3, the network's classes from 0 to 2; .*take 1 off"),
        (bad(y=Y - 1), "from -1 to 1"),
        (bad(y=Y * 0 + 2), "all samples have the label 2"),
        (bad(y=Y / 3), "are fractions, one a sample"),
        (bad(y=np.full(COUNT, np.nan)), "labels hold NaN"),
        (bad(y=np.full(COUNT, "cat")), "labels are str.*give numbers"),
        (bad(y=np.zeros((COUNT, 5))), r"labels of 'end' are of shape \(5,\)"),
        (bad(weight=-np.ones(COUNT)), "weights must be numbers of 0 or more"),
        (bad(weight=np.zeros(COUNT)), "some above 0"),
        (bad(group=np.zeros(COUNT)), "are of 1 groups"),
        (bad(group=np.zeros((COUNT, 2))), "one group a sample"),
        (bad(x_val=X[:30], y_val=Y[:30]), "none to test with"),
        (bad(x_test=X[:9]), "labels of some samples and not of others"),
        (bad(x=np.array([{}] * COUNT)), r"data\.npz can't be used .*pickle"),
    ],
)  # fmt: skip
def test_data_that_do_not_fit_are_one_sentence(folder, members, words):
    with pytest.raises(ConfigError, match=words) as caught:
        folder.load(network(), members)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_missing_and_rare_classes_are_said(folder):
    task = folder.load(network(), bad(y=np.minimum(Y, 1)))
    assert "no samples of 1 of 3 classes: 2" in task.notes


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("iou", "does not suit"),
        ("mean_error", "does not suit"),
        ("f1", "does not suit"),
        ("acuracy", "mean 'accuracy'"),
    ],
)
def test_a_metric_that_does_not_suit_is_one_sentence(folder, metric, words):
    with pytest.raises(ConfigError, match=words):
        folder.load(network(), classes(), metric=metric)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5", "gives int; give a dictionary"),
        ("{'los': 1}", "gives los; use some of loss"),
        ("{'loss': 'no_such_loss'}", "'no_such_loss' is not known to Keras"),
        ("{'learning_rate': -1}", "gives learning_rate -1"),
        ("{'batch_size': 'many'}", "gives batch_size 'many'"),
        ("{'class_weight': 3}", "class_weight, which must be a dictionary"),
        ("{'class_weight': {0: 'x'}}", "no numbers of 0 or more"),
        ("{'class_weight': {0: 0, 1: 0, 2: 0}}", "leave no sample any weight"),
        ("{'optimizer': 'no_such'}", "which Keras does not know"),
        ("{'augment': 3}", "augment that can't be called"),
        ("{'loss': {'no_such_output': 'mse'}}", "loss names no_such_output; the outputs are end"),
        ("{'loss': ['mse', 'mse']}", "loss has 2 entries for 1 outputs"),
        ("{'loss': lambda y, o: y + None}", "the loss fails on two samples"),
    ],
)
def test_a_function_that_says_what_can_not_be_done_is_one_sentence(folder, text, words, request):
    name = f"says_{abs(hash(text))}"
    folder.module(name, f"def how(): return {text}")
    with pytest.raises(ConfigError, match=words):
        folder.load(network(), classes(), train=f"{name}:how")


def test_no_data_and_files_that_are_none_are_one_sentence(folder):
    for data, words in (
        (None, "needs data; name them by --data"),
        ("nowhere.npz", "can't be read"),
        ("nowhere", "is no data; name an .npz file"),
        (":x", "is no module:function"),
    ):
        with pytest.raises(ConfigError, match=words):
            folder.load(network(), data=data)
    (folder.path / "text.npz").write_text("no archive")
    with pytest.raises(ConfigError, match=r"text\.npz can't be used"):
        folder.load(network(), data="text.npz")
