"""Task: data with its split, and how long to train on it. No TensorFlow unless Keras must load."""

from __future__ import annotations

import contextlib
import os
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from adadeep.core.errors import ConfigError
from adadeep.core.reader import why
from adadeep.core.registry import Registry
from adadeep.storage.archives import open_zip

Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Array = npt.NDArray[Any]

DATA_VARIABLE = "ADADEEP_DATA"

# Version of the splits below. A run of another one has been searched on what is held back now.
SPLIT = 2
_SPLIT_SEED = 20180610  # any fixed number: everybody gets the same split
_MOST_BYTES = 256_000_000  # MNIST as float32 takes 220 MB
_MNIST_MEMBERS = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A classification task.

    Attributes:
        name: registered name.
        title: for people.
        classes: number of classes.
        class_names: in the order of the labels.
        x_train: (n, height, width, channels), scaled to 0..1.
        y_train: (n,), from 0.
        x_val: the search's accuracy is taken here.
        y_val: labels of `x_val`.
        x_held: held back from the search; finalists are tested here. A third of what validates.
        y_held: labels of `x_held`.
        x_test: touched at the very end only.
        y_test: labels of `x_test`.
        source: where the data came from.
        base_steps: of `batch_size` that train the initial network.
        fine_tune_steps: of `batch_size` after a compression (times `needs_training`).
        batch_size: samples a step.
    """

    name: str
    title: str
    classes: int
    class_names: tuple[str, ...]
    x_train: Images
    y_train: Labels
    x_val: Images
    y_val: Labels
    x_held: Images
    y_held: Labels
    x_test: Images
    y_test: Labels
    source: str
    base_steps: int
    fine_tune_steps: int
    batch_size: int

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one sample: (height, width, channels)."""
        return tuple(self.x_train.shape[1:])


TASKS: Registry[Callable[[], Task]] = Registry(
    "task",
    {
        "digits": "adadeep.training.tasks:load_digits",
        "mnist": "adadeep.training.tasks:load_mnist",
    },
)


def load_task(name: str) -> Task:
    """The task of that name with its data.

    Raises:
        ConfigError: no such task, or its data can't be had.
    """
    return TASKS.get(name)()


def load_digits() -> Task:
    """Scikit-learn's bundled digits: 1,797 real 8x8 images; 50 % train, 30 % validate, 20 % test.

    A third of the validating ones are held back from the search.
    """
    from sklearn.datasets import load_digits as load_bundle

    bundle = load_bundle()
    x = _images(bundle.images, white=16)
    y = np.asarray(bundle.target, dtype=np.int64)
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(x))
    test, held, val, train = _parts(order, 0.2, 0.1, 0.2)
    return Task(
        name="digits",
        title="Handwritten digits, 8x8 (scikit-learn)",
        classes=10,
        class_names=tuple(str(digit) for digit in range(10)),
        x_train=x[train], y_train=y[train],
        x_val=x[val], y_val=y[val],
        x_held=x[held], y_held=y[held],
        x_test=x[test], y_test=y[test],
        source="scikit-learn load_digits",
        base_steps=200,
        fine_tune_steps=40,
        batch_size=32,
    )  # fmt: skip


def load_mnist() -> Task:
    """MNIST: 60,000 + 10,000 images of 28x28; 30 % of the 60,000 validate, a third held back.

    Training takes a few hundred batches and misses none of them, while a loss of some tenths of
    a percent takes thousands of samples to be told.

    From `$ADADEEP_DATA/mnist.npz` if that is there, else as Keras loads it (cached, downloaded
    the first time).

    Raises:
        ConfigError: neither can be had, or the file is no MNIST.
    """
    arrays, source = _mnist_arrays()
    x = _images(arrays["x_train"], white=255)
    y = np.asarray(arrays["y_train"], dtype=np.int64)
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(x))
    held, val, train = _parts(order, 0.1, 0.2)
    return Task(
        name="mnist",
        title="MNIST handwritten digits, 28x28",
        classes=10,
        class_names=tuple(str(digit) for digit in range(10)),
        x_train=x[train], y_train=y[train],
        x_val=x[val], y_val=y[val],
        x_held=x[held], y_held=y[held],
        x_test=_images(arrays["x_test"], white=255),
        y_test=np.asarray(arrays["y_test"], dtype=np.int64),
        source=source,
        base_steps=300,
        fine_tune_steps=30,
        batch_size=32,
    )  # fmt: skip


def _parts(order: npt.NDArray[np.int64], *shares: float) -> list[npt.NDArray[np.int64]]:
    """Cuts an order of samples into parts of these shares, and the rest."""
    ends = np.cumsum([int(share * len(order)) for share in shares])
    return np.split(order, ends)


def _images(values: Array, white: int) -> Images:
    """(n, h, w) or (n, h, w, c) of 0..white -> NHWC float32 of 0..1."""
    scaled = np.asarray(values, dtype=np.float32) / np.float32(white)
    return scaled[..., np.newaxis] if scaled.ndim == 3 else scaled


def _mnist_arrays() -> tuple[dict[str, Array], str]:
    folder = os.environ.get(DATA_VARIABLE)
    if folder and not os.path.isdir(folder):  # noqa: PTH112  # Path.is_dir raises for odd names
        raise ConfigError(
            f"{DATA_VARIABLE}={folder} is no folder; set it to the folder with mnist.npz, or "
            "unset it and Keras downloads MNIST."
        )
    if folder and (file := Path(folder) / "mnist.npz").is_file():
        return _read_mnist(file), str(file)
    return _keras_mnist(), "keras.datasets.mnist"


def _read_mnist(file: Path) -> dict[str, Array]:
    try:
        with open_zip(file, _MOST_BYTES):
            pass  # what it unpacks to is bounded
        with np.load(file, allow_pickle=False) as members:
            arrays = {name: members[name] for name in _MNIST_MEMBERS}
        for part, fewest in (("train", 50), ("test", 10)):
            _check(arrays[f"x_{part}"], arrays[f"y_{part}"], fewest)
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError, BadZipFile,
            zlib.error) as error:  # fmt: skip
        raise ConfigError(
            f"{file} is no MNIST ({why(error)}); replace it: it must hold "
            f"{', '.join(_MNIST_MEMBERS)}."
        ) from error
    return arrays


def _check(images: Array, labels: Array, fewest: int) -> None:
    """Raises ValueError where these are not 28x28 grey images with the digits that they show."""
    if images.shape[1:3] != (28, 28) or images.shape[3:] not in ((), (1,)):
        raise ValueError(f"images of shape {images.shape}, not (n, 28, 28)")
    if labels.shape != images.shape[:1] or len(labels) < fewest:
        raise ValueError(f"{labels.shape} labels of {len(images)} images, {fewest} at least")
    if images.dtype.kind not in "uif" or labels.dtype.kind not in "ui":
        raise ValueError(f"images are {images.dtype.name}, labels {labels.dtype.name}")
    if not (0 <= images.min() <= images.max() <= 255 and 0 <= labels.min() <= labels.max() <= 9):
        raise ValueError("a pixel is not from 0 to 255, or a label not from 0 to 9")


def _keras_mnist() -> dict[str, Array]:
    from keras.datasets import mnist

    try:
        with contextlib.redirect_stdout(sys.stderr):  # Keras draws its progress on stdout
            (x_train, y_train), (x_test, y_test) = mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise ConfigError(
            "MNIST could not be downloaded; put mnist.npz (members "
            f"{', '.join(_MNIST_MEMBERS)}) into a folder and set {DATA_VARIABLE} to it."
        ) from error
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
