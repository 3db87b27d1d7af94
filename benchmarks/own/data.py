"""Real data of 2,000 samples for each of the zoo's networks, as an .npz that `--data` takes.

Out of $ADADEEP_DATA: MNIST, CIFAR-10, UCI HAR. What a network needs that no data set has (pairs,
two inputs, masks) is put together of real samples; a digit's strokes are its mask.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Members = dict[str, npt.NDArray[Any]]

SAMPLES = 2000
DRAWN_SIZE = 48  # pixels of the U-Net's images, each way
_SEED = 12


def folder() -> Path | None:
    """Of the data sets; None where there is none."""
    found = os.environ.get("ADADEEP_DATA")
    return Path(found) if found and (Path(found) / "cifar10.npz").is_file() else None


def made(name: str, samples: int = SAMPLES, others: int = 2 * SAMPLES) -> tuple[Members, Members]:
    """The data of one of the zoo's networks, and other samples that its user trained it on.

    Raises:
        SystemExit: there is no folder of data sets.
    """
    if folder() is None:
        raise SystemExit("set ADADEEP_DATA to the folder with mnist.npz, cifar10.npz and har.npz")
    members = MAKERS[name](np.random.default_rng(_SEED), samples + others)
    names = members.pop("class_names", None)
    ours = {key: values[:samples] for key, values in members.items()}
    theirs = {key: values[samples:] for key, values in members.items() if key != "group"}
    return ours if names is None else {**ours, "class_names": names}, theirs


def last_classes(rng: np.random.Generator, samples: int) -> Members:
    """The other five classes of CIFAR-10, which a backbone learns before; labels from 0."""
    x, y = _of("cifar10", "x_train", "y_train")
    chosen = np.flatnonzero(y >= 5)
    chosen = chosen[rng.permutation(len(chosen))[:samples]]
    return {"x": _enlarged(x[chosen], 96), "y": y[chosen] - 5}


def _of(file: str, *members: str) -> list[npt.NDArray[Any]]:
    where = folder()
    assert where is not None
    with np.load(where / f"{file}.npz", allow_pickle=False) as found:
        return [found[member] for member in members]


def _cifar(rng: np.random.Generator, samples: int, size: int, classes: int = 10) -> Members:
    x, y, names = _of("cifar10", "x_train", "y_train", "class_names")
    of_classes = np.flatnonzero(y < classes)
    chosen = of_classes[rng.permutation(len(of_classes))[:samples]]
    return {"x": _enlarged(x[chosen], size), "y": y[chosen], "class_names": names[:classes]}


def _enlarged(images: npt.NDArray[Any], size: int) -> npt.NDArray[np.uint8]:
    """By whole factors: every pixel a square."""
    factor = size // images.shape[1]
    return images.repeat(factor, axis=1).repeat(factor, axis=2)


def transfer(rng: np.random.Generator, samples: int) -> Members:
    """Five classes of CIFAR-10 on 96x96 pixels."""
    return _cifar(rng, samples, 96, classes=5)


def large_images(rng: np.random.Generator, samples: int) -> Members:
    """CIFAR-10 on 96x96 pixels."""
    return _cifar(rng, samples, 96)


def small_images(rng: np.random.Generator, samples: int) -> Members:
    """CIFAR-10 as it is, of 32x32 pixels."""
    return _cifar(rng, samples, 32)


def siamese(rng: np.random.Generator, samples: int) -> Members:
    """Pairs of MNIST digits on 48x48 pixels, half of them of the same class; 1 where they are."""
    x, y = _of("mnist", "x_train", "y_train")
    first = rng.permutation(len(x))[:samples]
    same = rng.random(samples) < 0.5
    by_class = [np.flatnonzero(y == digit) for digit in range(10)]
    other = [
        rng.choice(by_class[(y[one] + (0 if is_same else rng.integers(1, 10))) % 10])
        for one, is_same in zip(first, same, strict=True)
    ]
    edge = ((0, 0), (10, 10), (10, 10), (0, 0))
    left, right = (np.pad(x[one], edge) / np.float32(255) for one in (first, np.array(other)))
    return {"left": left, "right": right, "y": same.astype(np.int64)}


def two_in_two_out(rng: np.random.Generator, samples: int) -> Members:
    """A CIFAR-10 image of five classes, and the ink in ten bands of an MNIST digit.

    Wanted are the image's class, and what the digit is worth.
    """
    images = _cifar(rng, samples, 64, classes=5)
    x, y = _of("mnist", "x_train", "y_train")
    chosen = rng.permutation(len(x))[:samples]
    bands = np.array_split(x[chosen, :, :, 0].astype(np.float32) / np.float32(255), 10, axis=1)
    row = np.stack([band.mean(axis=(1, 2)) for band in bands], axis=1)
    return {
        "image": images["x"], "row": row, "kind": images["y"],
        "amount": y[chosen].astype(np.float32)[:, None],
    }  # fmt: skip


def unet(rng: np.random.Generator, samples: int) -> Members:
    """An MNIST digit drawn on a CIFAR-10 image; its strokes are 1 for 0 to 4, 2 for 5 to 9."""
    ground = _cifar(rng, samples, 96)["x"][:, :DRAWN_SIZE, :DRAWN_SIZE].astype(np.int64)
    digits, values = _of("mnist", "x_train", "y_train")
    mask = np.zeros((samples, DRAWN_SIZE, DRAWN_SIZE), np.int64)
    for number, digit in enumerate(rng.permutation(len(digits))[:samples]):
        top, left = rng.integers(0, DRAWN_SIZE - 28, 2)
        strokes = digits[digit, :, :, 0] > 127
        mask[number, top : top + 28, left : left + 28] = strokes * (1 + values[digit] // 5)
    tint = rng.integers(-110, 110, (samples, 1, 1, 3))
    drawn = np.clip(ground + (mask > 0)[..., None] * tint, 0, 255).astype(np.uint8)
    return {"x": drawn, "y": mask.astype(np.uint8)}


def cnn1d(rng: np.random.Generator, samples: int) -> Members:
    """Windows of the UCI HAR signals, with whose they are: parts share no person."""
    x, y, names, person = _of("har", "x_train", "y_train", "class_names", "subject_train")
    chosen = rng.permutation(len(x))[:samples]
    return {
        "x": x[chosen].astype(np.float32), "y": y[chosen],
        "group": person[chosen].astype(np.int64), "class_names": names,
    }  # fmt: skip


MAKERS = {
    "transfer": transfer,
    "siamese": siamese,
    "two_in_two_out": two_in_two_out,
    "unet": unet,
    "cnn1d": cnn1d,
    "mobilenet_v2": large_images,
    "resnet50": small_images,
}
