"""Loads a .tflite and runs it. Knows the runtimes; of messages only what an input is."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import os
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from adadeep_agent import inputs, wire
from adadeep_agent.wire import ErrorCode, WireError

# The order is the order of preference: the live one, the frozen one for old boards, the big one.
RUNTIMES = (
    ("ai_edge_litert", "ai_edge_litert.interpreter"),
    ("tflite_runtime", "tflite_runtime.interpreter"),
    ("tensorflow", "tensorflow.lite"),
)


class Cancelled(Exception):
    """The host does not want the result any more."""


class Runtime:
    """A TFLite runtime that is installed here."""

    def __init__(self, name: str, version: str, interpreter: Any) -> None:
        self.name = name
        self.version = version
        self.interpreter = interpreter

    @classmethod
    def find(cls) -> Runtime:
        """The first of `RUNTIMES` that can be imported.

        Raises:
            WireError: none can; the message says why each could not.
        """
        reasons = []
        for name, module in RUNTIMES:
            try:
                interpreter = importlib.import_module(module).Interpreter
                package = importlib.import_module(name)
            except Exception as error:  # a broken wheel raises anything
                reasons.append(f"{name}: {error}")
                continue
            version = str(getattr(package, "__version__", "") or _installed_version(name))
            return cls(name, version, interpreter)
        raise WireError("no TFLite runtime: " + "; ".join(reasons), ErrorCode.NO_RUNTIME)


def _installed_version(name: str) -> str:
    try:
        from importlib.metadata import PackageNotFoundError, version
    except ImportError:
        return "unknown"
    try:
        return version(name.replace("_", "-"))
    except PackageNotFoundError:
        return "unknown"


def sha256_of(path: str) -> Tuple[str, int]:
    """The SHA-256 of a file in hex, and its size in bytes.

    Raises:
        WireError: there is no such file.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with open(path, "rb") as file:
            while True:
                block = file.read(1 << 20)
                if not block:
                    return digest.hexdigest(), size
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise WireError(f"can't read the model: {error}", ErrorCode.MODEL_MISSING) from error


_known: Dict[str, Tuple[Tuple[int, ...], str, int]] = {}


def known_sha256_of(path: str) -> Tuple[str, int]:
    """As `sha256_of`, which takes 20 ms of 13 MB; a file that has not changed is read once.

    Raises:
        WireError: there is no such file.
    """
    try:
        stat = os.stat(path)
    except OSError as error:
        raise WireError(f"can't read the model: {error}", ErrorCode.MODEL_MISSING) from error
    state = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
    if path not in _known or _known[path][0] != state:
        _known[path] = (state, *sha256_of(path))
    return _known[path][1:]


def delegates_of(interpreter: Any) -> List[Dict[str, Any]]:
    """Who runs how many nodes of the graph.

    A delegate is one more node, named DELEGATE, that has the inputs and outputs of those it took:
    they are what can be reached back from its outputs without passing its inputs. Python's
    runtimes bring one delegate of their own, XNNPACK.

    Raises:
        WireError: `model_corrupt`.
    """
    try:
        nodes = interpreter._get_ops_details()
    except AttributeError:
        return []
    except ValueError as error:  # names that are no UTF-8 are read only here
        raise _load_error(error) from error
    own = [node for node in nodes if node["op_name"] != "DELEGATE"]
    producer = {int(t): i for i, node in enumerate(own) for t in node["outputs"]}
    taken = set()
    for delegate in (node for node in nodes if node["op_name"] == "DELEGATE"):
        stop = {int(t) for t in delegate["inputs"]}
        todo = [int(t) for t in delegate["outputs"]]
        while todo:
            tensor = todo.pop()
            node = producer.get(tensor)
            if tensor in stop or node is None or node in taken:
                continue
            taken.add(node)
            todo.extend(int(t) for t in own[node]["inputs"])
    counts = [("XNNPACK", len(taken)), ("none", len(own) - len(taken))]
    return [{"name": name, "nodes": count} for name, count in counts if count]


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _load_error(error: Exception) -> WireError:
    text = _brief(error)
    if isinstance(error, MemoryError):
        return WireError(f"not enough memory for the model: {text}", ErrorCode.OUT_OF_MEMORY)
    lower = text.lower()
    if any(sign in lower for sign in ("unresolved", "didn't find op", "custom op", "flex")):
        return WireError(f"the runtime lacks an operator: {text}", ErrorCode.UNSUPPORTED_OP)
    return WireError(f"the runtime can't load the model: {text}", ErrorCode.MODEL_CORRUPT)


def _run_error(error: Exception) -> WireError:
    text = _brief(error)
    if isinstance(error, MemoryError):
        return WireError(f"not enough memory to run the model: {text}", ErrorCode.OUT_OF_MEMORY)
    return WireError(f"the model was loaded but can't be run: {text}", ErrorCode.RUN_FAILED)


@functools.lru_cache(maxsize=None)
def _random() -> Any:
    import numpy

    return numpy.random.RandomState(0)  # which takes 0.3 ms


def _seeded() -> Any:
    """The stream of numbers that inputs are chosen from, from its begin."""
    random = _random()
    random.seed(0)
    return random


class Model:
    """A loaded model.

    Args:
        runtime: that loads it.
        path: of the .tflite.
        threads: of the interpreter.
        shapes: [name or null, shape] for inputs that leave sizes open.

    Raises:
        WireError: `model_corrupt`, `unsupported_op`, `out_of_memory`, `open_shape` or `bad_input`.
    """

    def __init__(
        self, runtime: Runtime, path: str, threads: int, shapes: Sequence[Sequence[Any]] = ()
    ) -> None:
        self.inputs: List[Dict[str, Any]] = []
        began = time.perf_counter_ns()
        try:
            self._interpreter = runtime.interpreter(model_path=path, num_threads=threads)
            self._settle_shapes(shapes)
            self._interpreter.allocate_tensors()
            self._details = self._interpreter.get_input_details()
            self._outputs = self._interpreter.get_output_details()
        except (ValueError, RuntimeError, MemoryError, OSError) as error:
            if shapes and isinstance(error, RuntimeError):
                text = f"the model can't be run with these input shapes: {_brief(error)}"
                raise WireError(text, ErrorCode.BAD_INPUT) from error
            raise _load_error(error) from error
        self.load_ns = time.perf_counter_ns() - began

    def _settle_shapes(self, shapes: Sequence[Sequence[Any]]) -> None:
        details = self._interpreter.get_input_details()
        inputs.check_names(details, shapes)
        for detail in details:
            inputs.require_numbers(detail)
            shape = inputs.settled_shape(detail, shapes, len(details) == 1)
            inputs.require_room(detail, shape)
            if shape != [int(n) for n in detail["shape"]]:
                self._interpreter.resize_tensor_input(detail["index"], shape)

    @property
    def delegates(self) -> List[Dict[str, Any]]:
        """Who runs how many nodes."""
        return delegates_of(self._interpreter)

    def set_inputs(
        self,
        tensors: Optional[Sequence[Any]],
        ranges: Sequence[Sequence[Any]] = (),
        source: str = inputs.GIVEN,
    ) -> None:
        """Sets the inputs from tensors of a message; without any, from a fixed random stream.

        Args:
            tensors: one for each input.
            ranges: [name or null, low, high] for values that are not given.
            source: of the tensors, for the result.

        Raises:
            WireError: wrong number, name, shape, dtype or range.
        """
        self.feed(self.values(tensors, ranges, source))

    def values(
        self,
        tensors: Optional[Sequence[Any]],
        ranges: Sequence[Sequence[Any]] = (),
        source: str = inputs.GIVEN,
    ) -> List[Tuple[Any, str]]:
        """For each input an array and a word for what it is; `set_inputs` says of what."""
        if tensors is not None and len(tensors) != len(self._details):
            text = f"the model has {len(self._details)} inputs, not {len(tensors)}"
            raise WireError(text, ErrorCode.BAD_INPUT)
        inputs.check_names(self._details, ranges)
        if tensors is not None:
            given = zip(self._details, tensors)
            return [(inputs.given_values(detail, tensor), source) for detail, tensor in given]
        random = _seeded()
        return [
            inputs.chosen_values(detail, detail["shape"], ranges, random)
            for detail in self._details
        ]

    def feed(self, values: Sequence[Tuple[Any, str]]) -> None:
        """Sets the inputs to what `values` gave, of this model or of one of the same file."""
        self.inputs = []
        for detail, (array, fed) in zip(self._details, values):
            self._interpreter.set_tensor(detail["index"], array)
            self.inputs.append(inputs.described(detail, fed))

    @property
    def invoke(self) -> Callable[[], Any]:
        """What runs an inference: the runtime itself, where Python's wrapper lets it be reached.

        The wrapper takes half a microsecond, which is half a small network. Not to be kept: while
        it is, the wrapper refuses to do anything else.
        """
        inner = getattr(self._interpreter, "_interpreter", None)
        found: Callable[[], Any] = getattr(inner, "Invoke", self._interpreter.invoke)
        return found

    def outputs(self) -> List[Dict[str, Any]]:
        """The outputs of the last inference, as tensors of a message."""
        tensors = []
        for detail in self._outputs:
            array = self._interpreter.get_tensor(detail["index"])
            tensors.append(wire.encode_tensor(array.dtype.name, array.shape, array.tobytes()))
        return tensors


@contextlib.contextmanager
def running(model: Model) -> Iterator[Callable[[], Any]]:
    """Gives what runs an inference; its failures are errors of the model.

    Raises:
        WireError: `run_failed` or `out_of_memory`.
    """
    try:
        yield model.invoke
    except (ValueError, RuntimeError, MemoryError) as error:
        raise _run_error(error) from error
