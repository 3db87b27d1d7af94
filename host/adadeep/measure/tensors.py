"""Arrays as tensors of messages, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep_agent import wire
from adadeep_agent.wire import Message


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
