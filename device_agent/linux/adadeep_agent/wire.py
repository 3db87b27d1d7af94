"""The messages between host and agent: what each must hold.

Standard library only, Python 3.8 and newer: this file runs on boards, and the host imports it.
`device_agent/protocol/PROTOCOL.md` is the text of the protocol, `vectors/` its golden messages.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Sequence
from typing import Any, Dict, List, Optional

VERSION = "0.2.0.dev0"  # of adadeep; host and agent must have the same
PROTOCOL = 5
MAX_INPUT = 2**64  # of the ends of a range of input values
MAX_SIZE = 2**31 - 1  # of one dimension of an input
MAX_MODELS = 16  # in one request
MAX_NAME = 100  # characters of the name of a model
MAX_LINE = 4_000_000  # bytes of a line: a host ends the connection at a longer one

# What a host may have run on a device, before and after a session: nothing else, with no arguments
# of anybody's choosing.
COMMANDS = (
    "dumpsys battery",
    "dumpsys thermalservice",
    "dumpsys power",
    "dumpsys deviceidle",
    "getprop",
)
MAX_COMMANDS = 8
MAX_COMMAND_BYTES, MAX_COMMANDS_BYTES = 1 << 16, 3 << 16  # of one's output, of all
COMMAND_S, COMMANDS_S = 5.0, 10.0  # so long one may take, and all of a reading

# What a host may have read of a device's state. A longer answer is cut off, it is no error.
READ_ROOTS = ("/sys/", "/proc/")
LINKS_OUT = frozenset({"..", "root", "cwd", "exe", "fd", "map_files"})  # names that lead elsewhere
MAX_PATTERNS, MAX_PATTERN = 100, 200  # how many, and of how many characters each
MAX_TEXTS = 1000
MAX_TEXT_BYTES, MAX_TEXTS_BYTES = 4096, 1 << 16  # of one file, of all
MAX_BLOCK_PATHS, MAX_BLOCK_TEXT = 8, 256  # around each block: how many, of how many bytes each

Message = Dict[str, Any]  # `dict[...]` outside an annotation needs Python 3.9


class ErrorCode:
    """The codes of `error` messages."""

    VERSION = "version_mismatch"
    BAD_MESSAGE = "bad_message"
    BUSY = "busy"
    NO_RUNTIME = "no_runtime"
    MODEL_MISSING = "model_missing"
    MODEL_DAMAGED = "model_damaged"
    MODEL_CORRUPT = "model_corrupt"
    RUN_FAILED = "run_failed"
    OPEN_SHAPE = "open_shape"
    UNSUPPORTED_OP = "unsupported_op"
    BAD_INPUT = "bad_input"
    BAD_CORE_MASK = "bad_core_mask"
    NO_SPACE = "no_space"
    OUT_OF_MEMORY = "out_of_memory"
    CLOCK_JUMPED = "clock_jumped"
    SLEPT = "slept"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


class WireError(Exception):
    """A line that is no message of this protocol, or a request that can't be served.

    Attributes:
        code: one of `ErrorCode`.
        model: the name, as the request has it, of the model that is at fault; None if none is.
    """

    def __init__(self, message: str, code: str = ErrorCode.BAD_MESSAGE) -> None:
        super().__init__(message)
        self.code = code
        self.model: Optional[str] = None


# What a request of each type must hold: field -> types. Fields that are not listed are refused,
# but for those behind "?", which may be missing. A peer in another language checks the same.
_INT, _STR, _NUM, _LIST, _MAP, _BOOL = (int,), (str,), (int, float), (list,), (dict,), (bool,)
_NONE = type(None)

REQUESTS: dict[str, dict[str, tuple[type, ...]]] = {
    "hello": {"protocol": _INT, "version": _STR, "?wait_ms": _NUM},
    "measure": {
        "id": _INT, "job": _STR, "models": _LIST, "settings": _MAP, "plan": _MAP,
        "?read": _LIST, "?commands": _LIST, "?read_block": _LIST, "?spool": _BOOL,
    },
    "read": {"id": _INT, "read": _LIST, "?commands": _LIST},
    "spool": {"id": _INT},
    "fetch": {"id": _INT, "job": _STR},
    "ack": {"id": _INT, "jobs": _LIST},
    "cancel": {"id": _INT},
    "bye": {},
}  # fmt: skip

MODEL: dict[str, tuple[type, ...]] = {
    "name": _STR, "path": _STR, "sha256": _STR, "?inputs": _LIST, "?keep": _BOOL,
    "?block_ms": _NUM,
}  # fmt: skip

SETTINGS: dict[str, tuple[type, ...]] = {
    "threads": _INT, "core_mask": (str, _NONE),
    "?input_ranges": _LIST, "?input_shapes": _LIST, "?input_file": (str, _NONE),
}  # fmt: skip

PLAN: dict[str, tuple[type, ...]] = {
    "seed": _INT, "placements": _INT, "least_placements": _INT, "placement_ms": _NUM,
    "block_ms": _NUM, "drop_runs": _INT, "drop_ms": _NUM, "warmup_ms": _NUM, "group": _INT,
    "block_timings": _INT, "cold_runs": _INT, "cold_bytes": _INT, "half_width": _NUM,
    "max_ms": _NUM,
}  # fmt: skip

# What the numbers of a plan may be, both ends included.
_HOUR_MS = 3_600_000.0
PLAN_BOUNDS = {
    "seed": (0, 2**53), "placements": (1, 1000), "least_placements": (1, 1000),
    "placement_ms": (0, _HOUR_MS), "block_ms": (1e-3, _HOUR_MS), "drop_runs": (0, 1000),
    "drop_ms": (0, _HOUR_MS), "warmup_ms": (0, _HOUR_MS), "group": (1, 100_000),
    "block_timings": (1, 10_000), "cold_runs": (0, 100), "cold_bytes": (0, 64 << 20),
    "half_width": (0, 1), "max_ms": (1e-3, _HOUR_MS),
}  # fmt: skip


def _check(what: str, value: Message, shape: dict[str, tuple[type, ...]]) -> None:
    names = {name.lstrip("?") for name in shape}
    unknown = sorted(set(value) - names)
    if unknown:
        raise WireError(f"{what} has an unknown field {unknown[0]!r}")
    for name, types in shape.items():
        field = name.lstrip("?")
        if field not in value:
            if name == field:
                raise WireError(f"{what} lacks the field {field!r}")
            continue
        got = value[field]
        if not isinstance(got, types) or (isinstance(got, bool) and bool not in types):
            raise WireError(f"{what}: field {field!r} is of the wrong type")


def encode(message: Message) -> bytes:
    """One message as one line: compact JSON, keys sorted, ASCII, line feed at the end."""
    text = json.dumps(message, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii") + b"\n"


def decode_request(line: bytes) -> Message:
    """A line from the host, checked.

    Raises:
        WireError: it is no request of this protocol.
    """
    try:
        message = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise WireError(f"not a line of JSON: {error}") from error
    if not isinstance(message, dict):
        raise WireError("not a JSON object")
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in REQUESTS:
        raise WireError(f"unknown type {kind!r}")
    _check(kind, {k: v for k, v in message.items() if k != "type"}, REQUESTS[kind])
    if kind == "measure":
        if not is_job(message["job"]):
            raise WireError("'job' is no name of up to 120 letters, digits, '.', '_' and '-'")
        _check_models(message["models"])
        _check_settings(message["settings"])
        _check_plan(message["plan"])
        _check_block_paths(message.get("read_block", []))
    _check_patterns(message.get("read", []))
    _check_commands(message.get("commands", []))
    return message


def is_job(name: str) -> bool:
    """Whether a session may be called so: its name becomes a file's."""
    return bool(re.match(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}\Z", name))


def _check_models(models: List[Any]) -> None:
    if not 1 <= len(models) <= MAX_MODELS or not all(isinstance(m, dict) for m in models):
        raise WireError(f"'models' holds 1 to {MAX_MODELS} objects")
    for model in models:
        _check("a model", model, MODEL)
        if not 1 <= len(model["name"]) <= MAX_NAME:
            raise WireError(f"a model's name has 1 to {MAX_NAME} characters")
        if not re.match(r"[0-9a-f]{64}\Z", model["sha256"]):
            raise WireError("a model's 'sha256' is 64 hexadecimal digits")
        low, high = PLAN_BOUNDS["block_ms"]
        if not low <= model.get("block_ms", low) <= high:
            raise WireError(f"a model: 'block_ms' is from {low:g} to {high:g}")


def _check_plan(plan: Message) -> None:
    _check("plan", plan, PLAN)
    for name, (low, high) in PLAN_BOUNDS.items():
        if not low <= plan[name] <= high:  # NaN, too
            raise WireError(f"plan: {name!r} is from {low:g} to {high:g}")


def _check_block_paths(entries: List[Any]) -> None:
    if len(entries) > MAX_BLOCK_PATHS or not all(map(_is_block_path, entries)):
        raise WireError(
            f"'read_block' holds up to {MAX_BLOCK_PATHS} paths below {' or '.join(READ_ROOTS)}"
            " without '*'"
        )


def _is_block_path(entry: Any) -> bool:
    return isinstance(entry, str) and "*" not in entry and is_readable(entry.partition("#")[0])


def _check_patterns(patterns: List[Any]) -> None:
    if len(patterns) > MAX_PATTERNS or not all(map(is_readable, patterns)):
        raise WireError(
            f"'read' holds up to {MAX_PATTERNS} paths below {' or '.join(READ_ROOTS)},"
            f" of up to {MAX_PATTERN} characters"
        )


def _check_commands(commands: List[Any]) -> None:
    if len(commands) > MAX_COMMANDS or not all(command in COMMANDS for command in commands):
        raise WireError(f"'commands' holds up to {MAX_COMMANDS} of: {', '.join(COMMANDS)}")


def is_readable(path: Any) -> bool:
    """Whether a path, or a pattern of paths, is one that a host may have read.

    Below /sys or /proc, by no name that leads out of them.
    """
    if not isinstance(path, str) or not path.startswith(READ_ROOTS) or "\0" in path:
        return False
    return len(path) <= MAX_PATTERN and LINKS_OUT.isdisjoint(path.split("/"))


def _check_settings(settings: Message) -> None:
    _check("settings", settings, SETTINGS)
    if settings["threads"] <= 0:
        raise WireError("settings: 'threads' must be greater than 0")
    _check_inputs(settings)


def _check_inputs(settings: Message) -> None:
    for entry in settings.get("input_ranges", []):
        if not (_is_named(entry, 3) and _is_range(*entry[1:])):
            raise WireError("settings: 'input_ranges' holds [name or null, low, high]")
    for entry in settings.get("input_shapes", []):
        if not (_is_named(entry, 2) and _is_shape(entry[1])):
            raise WireError("settings: 'input_shapes' holds [name or null, [sizes]]")


def _is_named(entry: Any, length: int) -> bool:
    if not isinstance(entry, list) or len(entry) != length:
        return False
    return entry[0] is None or isinstance(entry[0], str)


def _is_range(low: Any, high: Any) -> bool:
    if not all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in (low, high)):
        return False
    return bool(-MAX_INPUT <= low <= high <= MAX_INPUT)  # false for NaN, too


def _is_shape(sizes: Any) -> bool:
    return isinstance(sizes, list) and all(type(n) is int and 0 < n <= MAX_SIZE for n in sizes)


def encode_tensor(dtype: str, shape: Sequence[int], data: bytes) -> Message:
    """A tensor for a message: little-endian bytes in base64, C order."""
    return {
        "dtype": dtype,
        "shape": [int(n) for n in shape],
        "data": base64.b64encode(data).decode(),
    }


_ITEM_BYTES = {"float32": 4, "float16": 2, "float64": 8, "bool": 1, "int8": 1, "int16": 2,
               "int32": 4, "int64": 8, "uint8": 1, "uint16": 2, "uint32": 4,
               "uint64": 8}  # fmt: skip
_MOST_DIMENSIONS, _LARGEST = 16, 1 << 31


def decode_tensor(value: Any) -> tuple[str, list[int], bytes]:
    """The dtype, shape and bytes of a tensor in a message.

    Raises:
        WireError: it is no tensor, or its bytes don't fill its shape.
    """
    if not isinstance(value, dict):
        raise WireError("a tensor is not an object", ErrorCode.BAD_INPUT)
    try:
        dtype, shape = value["dtype"], [int(n) for n in value["shape"]]
        data = base64.b64decode(value["data"], validate=True)
        size = _ITEM_BYTES.get(dtype)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise WireError(
            "a tensor needs dtype, shape and base64 data", ErrorCode.BAD_INPUT
        ) from error
    if size is None:
        raise WireError(f"unknown dtype {dtype!r}", ErrorCode.BAD_INPUT)
    if len(shape) > _MOST_DIMENSIONS or not all(0 <= n <= _LARGEST for n in shape):
        raise WireError("a tensor's shape is out of bounds", ErrorCode.BAD_INPUT)
    want = size
    for extent in shape:
        want *= extent
    if want != len(data):
        raise WireError(
            f"a tensor of {dtype} {shape} has {want} bytes, not {len(data)}",
            ErrorCode.BAD_INPUT,
        )
    return dtype, shape, data


def median_interval_ranks(count: int) -> tuple[int, int]:
    """Ranks (from 0) of the samples that bound the 95 % confidence interval of the median.

    Ends of the interval of the sign test, by the normal approximation of the binomial:
    lower = floor((n - 1 - 1.96 sqrt(n)) / 2), upper = n - 1 - lower, both kept within the sample.
    """
    low = math.floor((count - 1 - 1.96 * math.sqrt(count)) / 2)
    low = min(max(low, 0), max((count - 1) // 2, 0))
    return low, count - 1 - low
