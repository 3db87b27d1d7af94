"""A folder of images: a folder for each class, in it files that TensorFlow can decode."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.rows import Array
from adadeep.training.ends import Port
from adadeep.training.modules import told
from adadeep.training.spool import spooled

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif")
_AT_ONCE = 64
_LARGEST_BYTES = 64_000_000  # of a file
_PARTS = {"train": "", "val": "_val", "valid": "_val", "validation": "_val", "test": "_test"}

Labelled = list[tuple[Path, int]]


def members_of(folder: Path, inputs: tuple[Port, ...]) -> dict[str, Array]:
    """Images and their classes, as an .npz would name them; resized to what the network takes.

    Args:
        folder: of a folder for each class, or with such folders in `train`, `test` and `val`.
        inputs: of the network: one, of images.

    Raises:
        ConfigError: the network takes no images, or the folder holds none, or one is damaged.
    """
    shape = _image_shape(inputs)
    split = {name: suffix for name, suffix in _PARTS.items() if (folder / name).is_dir()}
    parts = {suffix: folder / name for name, suffix in split.items()} if "train" in split else {}
    names = _class_names(parts.get("", folder))
    members: dict[str, Array] = {}
    for suffix, part in (parts or {"": folder}).items():
        if _class_names(part) != names:
            raise ConfigError(
                f"{_shown(part)} has other classes than {_shown(parts[''])}; make folders of the"
                " same names."
            )
        listed = list(_listed(part, names))
        images, labels = spooled(_decoded(listed, shape))
        members |= {f"x{suffix}": images, f"y{suffix}": labels}
    return {**members, "class_names": np.array(names)}


def _shown(path: Path) -> str:
    return one_line(str(path), 100)


def _image_shape(inputs: tuple[Port, ...]) -> tuple[int, int, int]:
    shape = inputs[0].shape
    if len(inputs) != 1 or len(shape) != 3 or None in shape or shape[2] not in (1, 3, 4):
        raise ConfigError(
            f"a folder of images needs a network of one input of (height, width, 1, 3 or 4), not"
            f" {', '.join(str(port.shape) for port in inputs)}; give the data as an .npz file or"
            " module:function."
        )
    height, width, channels = (int(size) for size in shape if size is not None)
    return height, width, channels


def _class_names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(
                e.name for e in entries if e.is_dir() and not e.name.startswith((".", "__"))
            )
    except OSError as error:
        raise ConfigError(
            f"{_shown(folder)} can't be read: {error.strerror}. Check its mode."
        ) from error
    if len(names) < 2:
        raise ConfigError(
            f"{_shown(folder)} holds {len(names)} folders; put the images into one folder for each"
            " class, two at least."
        )
    return names


def _listed(folder: Path, names: list[str]) -> Iterator[tuple[Path, int]]:
    """Files with their class, each class in the order of its names."""
    for number, name in enumerate(names):
        found = sorted(
            Path(base, file)
            for base, _, files in os.walk(folder / name)
            for file in files
            if file.lower().endswith(SUFFIXES) and not file.startswith(".")
        )
        if not found:
            raise ConfigError(
                f"{_shown(folder / name)} holds no image ({', '.join(SUFFIXES)}); put some there,"
                " or remove it."
            )
        yield from ((file, number) for file in found)


def _decoded(listed: Labelled, shape: tuple[int, int, int]) -> Iterator[list[Array]]:
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        for start in range(0, len(listed), _AT_ONCE):
            some = listed[start : start + _AT_ONCE]
            images = pool.map(lambda pair: _image(pair[0], shape), some)
            yield [np.stack(list(images)), np.array([label for _, label in some], np.int64)]


def _image(path: Path, shape: tuple[int, int, int]) -> Array:
    """(height, width, channels) of uint8."""
    import tensorflow as tf

    try:
        if path.stat().st_size > _LARGEST_BYTES or not path.is_file():
            raise ValueError("no regular file of 64 MB at most")
        data = tf.constant(path.read_bytes())
        channels = shape[2] if shape[2] != 4 else 0
        image = tf.io.decode_image(data, channels=channels, expand_animations=False)
        if image.shape[2] != shape[2]:
            raise ValueError(f"it has {image.shape[2]} channels, not {shape[2]}")
        sized = tf.image.resize(image, shape[:2], antialias=True)
    except Exception as error:  # TensorFlow and the disk raise whatever they stumble over
        raise ConfigError(
            f"{_shown(path)} is no image that can be read ({told(error)}); mend or remove it."
        ) from error
    return np.asarray(tf.cast(tf.clip_by_value(tf.round(sized), 0, 255), tf.uint8))
