"""Tasks and their data: splits, formats, errors."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from adadeep.core.errors import ConfigError
from adadeep.training.data_sets.digits import DIGITS
from adadeep.training.data_sets.mnist import DATA_VARIABLE, MNIST
from adadeep.training.registry import TASKS
from adadeep.training.tasks import load_task
from fakes.mutations import mutated

REAL_DATA = Path(__file__).parents[4] / "shared" / "data"


def fake_mnist(path: Path, **members: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    content = {
        "x_train": rng.integers(0, 256, (50, 28, 28), np.uint8),
        "y_train": np.arange(50) % 10,
        "x_test": rng.integers(0, 256, (20, 28, 28), np.uint8),
        "y_test": np.arange(20) % 10,
    }
    np.savez(path, **{**content, **members})


def test_digits_are_real_images_in_four_disjoint_parts() -> None:
    data = DIGITS.load()
    parts = [data.x_train, data.x_val, data.x_held, data.x_test]
    assert sum(map(len, parts)) == 1797
    together = np.concatenate([part.reshape(len(part), -1) for part in parts])
    assert len(np.unique(together, axis=0)) == 1797
    labels = (data.y_train, data.y_val, data.y_held, data.y_test)
    for x, y in zip(parts, labels, strict=True):
        assert x.shape[1:] == data.input_shape == (8, 8, 1)
        assert (x.dtype, y.dtype) == (np.float32, np.int64)
        assert (x.min(), x.max()) == (0, 1)
        assert set(y) == set(range(data.classes))


def test_the_split_is_the_same_each_time() -> None:
    first, second = DIGITS.load(), DIGITS.load()
    assert np.array_equal(first.x_val, second.x_val)
    assert np.array_equal(first.y_train, second.y_train)


def test_mnist_of_keras_own_layout_gets_a_channel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_mnist(tmp_path / "mnist.npz")
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    data = MNIST.load()
    assert data.x_train.shape == (35, 28, 28, 1)
    assert data.x_val.shape == (10, 28, 28, 1)
    assert data.x_held.shape == (5, 28, 28, 1)
    assert data.x_test.shape == (20, 28, 28, 1)
    assert 0 <= data.x_train.min() < data.x_train.max() <= 1
    assert data.source == str(tmp_path / "mnist.npz")


def test_labels_stay_with_their_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.zeros((50, 28, 28), np.uint8) + np.arange(50, dtype=np.uint8)[:, None, None]
    fake_mnist(tmp_path / "mnist.npz", x_train=images)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    data = MNIST.load()
    for x, y in ((data.x_train, data.y_train), (data.x_val, data.y_val)):
        assert np.array_equal(np.round(x[:, 0, 0, 0] * 255) % 10, y)


@pytest.mark.skipif(not (REAL_DATA / "mnist.npz").exists(), reason="no ../shared/data/mnist.npz")
def test_the_real_mnist_file_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(REAL_DATA))
    data = MNIST.load()
    parts = (data.x_train, data.x_val, data.x_held, data.x_test)
    assert [len(part) for part in parts] == [42000, 12000, 6000, 10000]
    everything = np.concatenate(parts[:3])
    assert everything.mean(dtype=np.float64) == pytest.approx(0.13066, abs=1e-4)


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"PK\x03\x04 cut off"])
def test_a_corrupt_file_is_one_clear_error(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mnist.npz").write_bytes(content)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    with pytest.raises(ConfigError, match=r"mnist\.npz is no MNIST"):
        MNIST.load()


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"x_train": np.zeros((50, 32, 32), np.uint8)}, "of shape"),
        ({"x_train": np.zeros((50, 28, 28, 3), np.uint8)}, "of shape"),
        ({"x_test": np.zeros((20, 5, 5), np.uint8)}, "of shape"),
        ({"x_test": np.array(3)}, "of shape"),
        ({"x_train": np.zeros((0, 28, 28), np.uint8), "y_train": np.zeros(0, int)}, "at least"),
        ({"y_train": np.arange(49) % 10}, "labels of 50 images"),
        ({"y_test": np.arange(3)}, "labels of 20 images"),
        ({"y_train": np.zeros((50, 10), int)}, "labels of 50 images"),
        ({"y_train": np.arange(50)}, "from 0 to 9"),
        ({"y_test": -np.arange(20) % 10 - 1}, "from 0 to 9"),
        ({"y_train": np.full(50, np.nan)}, "labels float64"),
        ({"y_train": np.array(["a"] * 50)}, "labels str"),
        ({"x_train": np.full((50, 28, 28), np.nan)}, "from 0 to 255"),
        ({"x_train": np.full((50, 28, 28), 1e300)}, "from 0 to 255"),
        ({"x_train": np.full((50, 28, 28), "x")}, "images are str"),
        ({"x_train": np.array([{}] * 50)}, "pickle"),
    ],
)
def test_a_file_of_other_content_is_refused(
    members: dict[str, np.ndarray], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_mnist(tmp_path / "mnist.npz", **members)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    with pytest.raises(ConfigError, match=rf"no MNIST \(.*{words}"):
        MNIST.load()


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "mnist.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x_train.npy", bytes(300_000_000))
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    with pytest.raises(ConfigError, match="unpacks to more than 256 MB"):
        MNIST.load()


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_file_is_taken_whole_or_refused(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_mnist(tmp_path / "mnist.npz")
    data = (tmp_path / "mnist.npz").read_bytes()
    (tmp_path / "mnist.npz").write_bytes(mutated(data, random.Random(seed)))
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    with contextlib.suppress(ConfigError):
        assert MNIST.load().x_test.shape == (20, 28, 28, 1)


def test_an_unknown_task_lists_those_there_are() -> None:
    with pytest.raises(ConfigError, match="digits, mnist"):
        load_task("mnits")


def test_a_task_is_loaded_with_the_parts_that_it_names() -> None:
    task = load_task("digits")
    assert (task.network.name, task.recipe.name, task.metric.name) == (
        "lenet", "digits", "accuracy"
    )  # fmt: skip
    assert task.data.input_shape == (8, 8, 1)
    assert task.title == TASKS.get("digits").title


def test_naming_tasks_and_their_parts_imports_no_heavy_library() -> None:
    code = (
        "import sys; from adadeep.training import registry;"
        "from adadeep.core.registry import Registry;"
        "known = [r for r in vars(registry).values() if type(r) is Registry];"
        "print(*(r.get(name).title and name for r in known for name in r));"
        "assert len(known) == 5;"
        "assert not {'tensorflow', 'keras', 'sklearn'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == ["digits", "mnist"]


@pytest.mark.parametrize("folder", ["/nowhere/at/all", "x" * 300])
def test_data_that_lie_nowhere_are_one_sentence(monkeypatch, folder) -> None:
    monkeypatch.setenv(DATA_VARIABLE, folder)
    with pytest.raises(ConfigError, match="is no folder; set it to"):
        MNIST.load()
