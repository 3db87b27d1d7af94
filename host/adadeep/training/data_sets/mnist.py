"""mnist: 60,000 + 10,000 images of 28x28."""

from __future__ import annotations

import contextlib
import os
import sys
import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from adadeep.core.errors import ConfigError
from adadeep.core.reader import why
from adadeep.core.task import Data
from adadeep.storage.archives import open_zip
from adadeep.training.data_sets import splits

Array = npt.NDArray[Any]

DATA_VARIABLE = "ADADEEP_DATA"

_MOST_BYTES = 256_000_000  # MNIST as float32 takes 220 MB
_MNIST_MEMBERS = ("x_train", "y_train", "x_test", "y_test")


class Mnist:
    """30 % of the 60,000 validate, a third of them held back.

    Training takes a few hundred batches and misses none of them, while a loss of some tenths of
    a percent takes thousands of samples to be told.
    """

    name = "mnist"
    title = "MNIST handwritten digits, 28x28"
    split = 2

    def load(self) -> Data:
        """From `$ADADEEP_DATA/mnist.npz` if that is there, else as Keras loads it.

        Keras downloads it the first time.

        Raises:
            ConfigError: neither can be had, or the file is no MNIST.
        """
        arrays, source = _mnist_arrays()
        x = splits.images(arrays["x_train"], white=255)
        y = np.asarray(arrays["y_train"], dtype=np.int64)
        held, val, train = splits.parts(len(x), 0.1, 0.2)
        return Data(
            x_train=x[train], y_train=y[train],
            x_val=x[val], y_val=y[val],
            x_held=x[held], y_held=y[held],
            x_test=splits.images(arrays["x_test"], white=255),
            y_test=np.asarray(arrays["y_test"], dtype=np.int64),
            class_names=tuple(str(digit) for digit in range(10)),
            source=source,
        )  # fmt: skip


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
            _require_images(arrays[f"x_{part}"], arrays[f"y_{part}"], fewest)
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError, BadZipFile,
            zlib.error) as error:  # fmt: skip
        raise ConfigError(
            f"{file} is no MNIST ({why(error)}); replace it: it must hold "
            f"{', '.join(_MNIST_MEMBERS)}."
        ) from error
    return arrays


def _require_images(images: Array, labels: Array, fewest: int) -> None:
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


MNIST = Mnist()
