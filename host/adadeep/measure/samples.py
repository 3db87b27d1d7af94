"""The user's own input values: read from an .npz, and checked against what the model takes."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.reader import MAX_FILE_BYTES, read_bytes, why

Array = npt.NDArray[Any]
_DTYPES = ("float16", "float32", "float64", "bool", "int8", "int16", "int32", "int64", "uint8",
           "uint16", "uint32", "uint64")  # fmt: skip
_DAMAGED = (ValueError, OSError, EOFError, MemoryError, NotImplementedError, RuntimeError,
            KeyError, zipfile.BadZipFile, zlib.error)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelInput:
    """An input of a .tflite.

    Attributes:
        name: of its tensor.
        dtype: of its elements, as numpy names it.
        signature: its shape, -1 where the model leaves a size open.
    """

    name: str
    dtype: str
    signature: tuple[int, ...]

    def takes(self, array: Array) -> bool:
        """Whether a value has the type and a shape that this input takes."""
        sizes = zip(self.signature, array.shape, strict=False)
        fits = len(self.signature) == array.ndim and all(w in (-1, n) for w, n in sizes)
        return fits and array.dtype.name == self.dtype

    @property
    def title(self) -> str:
        """For messages: "float32 (-1, 28, 28, 1)"."""
        return f"{self.dtype} {self.signature}"


def with_samples(
    settings: MeasureSettings, model: bytes, path: Path
) -> tuple[MeasureSettings, list[Array]]:
    """The values in a file, one for each input of the model, and the settings that go with them.

    Args:
        settings: without a file.
        model: a .tflite.
        path: an .npz whose members are called as the inputs are, or arg0, arg1, ...

    Raises:
        ConfigError: the file is no .npz, or does not hold what the model takes.
    """
    inputs = model_inputs(model)
    arrays = in_order(inputs, read_npz(path), path)
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.name} {array.shape};".encode() + array.tobytes())
    shapes: tuple[tuple[str | None, tuple[int, ...]], ...] = tuple(
        (given.name, array.shape)
        for given, array in zip(inputs, arrays, strict=True)
        if -1 in given.signature
    )
    shapes = settings.input_shapes or shapes
    return replace(settings, input_shapes=shapes, input_file=digest.hexdigest()), arrays


def read_npz(path: Path) -> dict[str, Array]:
    """The members of an .npz, of bounded size; nothing in it is run.

    Raises:
        ConfigError: it can't be read, is no .npz, is too large or damaged.
    """
    data = read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > MAX_FILE_BYTES:
            raise FormatError(
                f"{path} unpacks to more than {MAX_FILE_BYTES / 1e6:g} MB; give one sample."
            )
        with np.load(io.BytesIO(data), allow_pickle=False) as members:
            return {name: np.asarray(members[name]) for name in members.files}
    except _DAMAGED as error:
        raise FormatError(
            f"{path} is no .npz of numbers ({why(error)}); write it with numpy.savez."
        ) from error


def in_order(
    inputs: Sequence[ModelInput], members: Mapping[str, Array], path: Path
) -> list[Array]:
    """The members in the order of the model's inputs.

    Raises:
        ConfigError: a member is missing or too many, or of another type or shape, or not finite.
    """
    names = [_member(number, given, len(inputs), members) for number, given in enumerate(inputs)]
    if None in names or len(members) != len(inputs):
        takes = ", ".join(one_line(given.name, 60) for given in inputs)
        holds = ", ".join(one_line(name, 60) for name in members) or "nothing"
        raise ConfigError(
            f"{path} holds {one_line(holds)}; the model takes {one_line(takes)}:"
            " name the members so, or arg0, arg1, ... in that order."
        )
    arrays = [members[str(name)] for name in names]
    for given, name, array in zip(inputs, names, arrays, strict=True):
        if not given.takes(array):
            raise ConfigError(
                f"{path}: {one_line(str(name), 60)} is {array.dtype.name} {array.shape}, and"
                f" the model takes {given.title} (-1: any); save it so, with the batch."
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ConfigError(
                f"{path}: {one_line(str(name), 60)} holds values that are not finite;"
                " replace them."
            )
    return arrays


def _member(
    number: int, given: ModelInput, count: int, members: Mapping[str, Array]
) -> str | None:
    short = given.name.removeprefix("serving_default_").rpartition(":")[0]
    wanted = (given.name, short, f"arg{number}", f"arg_{number}")
    alone = list(members) if count == 1 and len(members) == 1 else []
    return next((name for name in (*wanted, *alone) if name in members), None)


def model_inputs(model: bytes) -> tuple[ModelInput, ...]:
    """The inputs of a .tflite, read from the file itself: no device is asked.

    Raises:
        FormatError: the file is damaged.
    """
    from ai_edge_litert import schema_py_generated as schema

    try:
        graph = schema.Model.GetRootAs(model, 0).Subgraphs(0)
        if not 1 <= graph.InputsLength() <= 1000:
            raise ValueError("it has no inputs")
        names = {number: name.lower() for name, number in vars(schema.TensorType).items()
                 if isinstance(number, int)}  # fmt: skip
        return tuple(
            _input(graph.Tensors(graph.Inputs(number)), names)
            for number in range(graph.InputsLength())
        )
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise FormatError(f"The model is damaged ({why(error)}); convert it anew.") from error


def _input(tensor: Any, names: Mapping[int, str]) -> ModelInput:
    dtype = names[tensor.Type()]
    if dtype not in _DTYPES:
        raise ValueError(f"an input takes {dtype}, and only numbers can be fed")
    most = 32  # dimensions; numpy has no more
    if max(tensor.ShapeLength(), tensor.ShapeSignatureLength()) > most:
        raise ValueError("an input has too many dimensions")
    signature = [int(tensor.ShapeSignature(n)) for n in range(tensor.ShapeSignatureLength())]
    shape = [int(tensor.Shape(n)) for n in range(tensor.ShapeLength())]
    return ModelInput(tensor.Name().decode("utf-8"), dtype, tuple(signature or shape))
