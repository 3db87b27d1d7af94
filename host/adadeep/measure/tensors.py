"""Arrays as tensors of messages, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.core.display import one_line
from adadeep.core.errors import TransientDeviceError
from adadeep.devices.agent_messages import ModelResult
from adadeep_agent import wire
from adadeep_agent.wire import Message, WireError


def to_message(array: npt.NDArray[Any]) -> Message:
    """An array as a message has it: little-endian, C order."""
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return wire.encode_tensor(array.dtype.name, array.shape, little.tobytes())


def from_message(tensor: Message) -> npt.NDArray[Any]:
    """The array of a message.

    Raises:
        WireError: it is no tensor.
    """
    dtype, shape, data = wire.decode_tensor(tensor)
    return np.frombuffer(data, dtype=np.dtype(dtype).newbyteorder("<")).reshape(shape)


def outputs_of(result: ModelResult, serial: str) -> list[list[npt.NDArray[Any]]]:
    """What a model gave for each sample: a list of arrays, one an output tensor.

    Raises:
        TransientDeviceError: they are no tensors.
    """
    try:
        return [[from_message(tensor) for tensor in sample] for sample in result.outputs]
    except WireError as error:
        raise TransientDeviceError(
            f"{serial}: the agent's outputs are no tensors ({one_line(str(error))}); try again."
        ) from error
