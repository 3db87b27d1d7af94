"""What a model is fed while it is timed: sizes that it leaves open, values that it can take."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

from adadeep_agent import wire
from adadeep_agent.wire import ErrorCode, WireError

Detail = Dict[str, Any]  # of an input, as the interpreter gives it
GIVEN, FILE, ZEROS = "given", "file", "zeros"
_MOST_NUMBERS = 1 << 27  # in one input: a device has no room for more


def _bad(text: str) -> WireError:
    return WireError(text, ErrorCode.BAD_INPUT)


def _name(detail: Detail) -> str:
    return ascii(detail["name"])  # foreign text: no control character may come from it


def _is_called(detail: Detail, name: str) -> bool:
    """Converters wrap the name that a user knows: "serving_default_tokens:0"."""
    full = detail["name"]
    short = full[len("serving_default_") :] if full.startswith("serving_default_") else full
    return name in (full, short, short.rpartition(":")[0] or short)


def _of(detail: Detail, entries: Sequence[Sequence[Any]]) -> Optional[Sequence[Any]]:
    """What entries of [name or null, ...] say of an input; its own name goes first."""
    named = [
        entry[1:] for entry in entries if entry[0] is not None and _is_called(detail, entry[0])
    ]
    unnamed = [entry[1:] for entry in entries if entry[0] is None]
    return next(iter(named + unnamed), None)


def check_names(details: Sequence[Detail], entries: Sequence[Sequence[Any]]) -> None:
    """Whether every name in entries of [name or null, ...] is that of an input.

    Raises:
        WireError: one is not; the message has the names that there are.
    """
    for entry in entries:
        if entry[0] is not None and not any(_is_called(detail, entry[0]) for detail in details):
            known = ", ".join(_name(detail) for detail in details)
            raise _bad(f"the model has no input {entry[0]!a}; it has {known}")


def signature_of(detail: Detail) -> List[int]:
    """The shape of an input with -1 where the model leaves a size open."""
    signature = [int(n) for n in detail.get("shape_signature", ())]
    return signature or [int(n) for n in detail["shape"]]


def settled_shape(detail: Detail, entries: Sequence[Sequence[Any]], alone: bool) -> List[int]:
    """The shape that an input is measured with; a batch that is open is 1.

    Args:
        detail: of the input.
        entries: [name or null, shape] as the host asked for.
        alone: it is the only input, so that a shape needs no name.

    Raises:
        WireError: a size is open that is no batch, or the host's shape does not fit.
    """
    signature, asked = signature_of(detail), _of(detail, entries)
    if asked is not None:
        shape: List[int] = asked[0]
        if len(shape) == len(signature) and all(
            want in (-1, size) for want, size in zip(signature, shape)
        ):
            return shape
        if alone or any(
            entry[0] is not None and _is_called(detail, entry[0]) for entry in entries
        ):
            raise _bad(f"the input {_name(detail)} is {signature} (-1 is open), not {shape}")
    if -1 in signature[1:]:
        text = f"the input {_name(detail)} leaves sizes open: {signature}"
        raise WireError(text, ErrorCode.OPEN_SHAPE)
    return [1 if size == -1 else size for size in signature]


def require_room(detail: Detail, shape: Sequence[int]) -> None:
    """Whether an input of that shape is one that a device can hold.

    Raises:
        WireError: it is not.
    """
    count = 1
    for size in shape:
        count *= size
    if not 0 <= count <= _MOST_NUMBERS:
        raise _bad(f"the input {_name(detail)} of shape {list(shape)[:8]} is too large")


def require_numbers(detail: Detail) -> None:
    """Whether an input can be fed at all.

    Raises:
        WireError: it takes text or a resource.
    """
    import numpy

    kind = numpy.dtype(detail["dtype"])
    if kind.kind not in "biuf":
        raise _bad(f"the input {_name(detail)} takes {kind.name}, and only numbers can be fed")


def chosen_values(
    detail: Detail, shape: Sequence[int], ranges: Any, random: Any
) -> Tuple[Any, str]:
    """Values for an input that nothing was given for, and a word for what they are.

    Whole numbers without a scale may be indices, and 0 is the one that every table has. With a
    scale they are quantised data, and any value will do.

    Raises:
        WireError: the range that was asked for does not fit the input's type.
    """
    import numpy

    kind: Any = numpy.dtype(detail["dtype"])
    asked = _of(detail, ranges)
    if kind.kind == "f":
        low, high = asked or (0, 1)
        values = low + (high - low) * random.random_sample(shape)
        return values.astype(kind), _word(low, high, asked)
    least, most = (0, 1) if kind.kind == "b" else (numpy.iinfo(kind).min, numpy.iinfo(kind).max)
    if asked is None and not (kind.itemsize <= 2 and detail["quantization"][0]):
        return numpy.zeros(shape, kind), ZEROS
    low, high = asked or (least, most)
    if low != int(low) or high != int(high) or low < least or high > most:
        raise _bad(f"the input {_name(detail)} is {kind.name}: {low}..{high} does not fit")
    values = random.randint(int(low), int(high) + 1, size=shape, dtype=kind)
    return values, _word(low, high, asked)


def _word(low: Any, high: Any, asked: Any) -> str:
    return f"{'range' if asked else 'random'} {low}..{high}"


def given_values(detail: Detail, tensor: Any) -> Any:
    """The array of a tensor in a message.

    Raises:
        WireError: it is not of the input's type and shape.
    """
    import numpy

    dtype, shape, data = wire.decode_tensor(tensor)
    want = (numpy.dtype(detail["dtype"]).name, [int(n) for n in detail["shape"]])
    if (dtype, shape) != want:
        raise _bad(f"an input must be {want[0]} {want[1]}, not {dtype} {shape}")
    return numpy.frombuffer(data, dtype=dtype).reshape(shape)


def described(detail: Detail, fed: str) -> Dict[str, Any]:
    """An input and what it was fed, for a result."""
    import numpy

    return {
        "name": detail["name"],
        "dtype": numpy.dtype(detail["dtype"]).name,
        "shape": [int(n) for n in detail["shape"]],
        "signature": signature_of(detail),
        "fed": fed,
    }
