"""Loads a .tflite and times it. Knows the runtimes; knows nothing of messages but their fields."""

from __future__ import annotations

import gc
import hashlib
import importlib
import time
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from adadeep_agent import inputs, wire
from adadeep_agent.process import PeakMemory, pinned
from adadeep_agent.readings import reading
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
        import numpy

        if tensors is not None and len(tensors) != len(self._details):
            text = f"the model has {len(self._details)} inputs, not {len(tensors)}"
            raise WireError(text, ErrorCode.BAD_INPUT)
        inputs.check_names(self._details, ranges)
        self.inputs = []
        random = numpy.random.RandomState(0)
        for number, detail in enumerate(self._details):
            if tensors is not None:
                array, fed = inputs.given_values(detail, tensors[number]), source
            else:
                array, fed = inputs.chosen_values(detail, detail["shape"], ranges, random)
            self._interpreter.set_tensor(detail["index"], array)
            self.inputs.append(inputs.described(detail, fed))

    def invoke_ns(self) -> int:
        """Runs one inference and returns its time.

        Raises:
            WireError: the runtime failed.
        """
        began = time.perf_counter_ns()
        try:
            self._interpreter.invoke()
        except (ValueError, RuntimeError, MemoryError) as error:
            raise _run_error(error) from error
        return time.perf_counter_ns() - began

    def outputs(self) -> List[Dict[str, Any]]:
        """The outputs of the last inference, as tensors of a message."""
        tensors = []
        for detail in self._outputs:
            array = self._interpreter.get_tensor(detail["index"])
            tensors.append(wire.encode_tensor(array.dtype.name, array.shape, array.tobytes()))
        return tensors


_KEPT_WARM_UPS = 1000  # a model of a microsecond has 100,000 of them, which nobody reads


def _warm_up(model: Model, settings: Dict[str, Any], check: Callable[[], None]) -> List[int]:
    times: List[int] = []
    count, total_ns, most_ns = 0, 0, settings["max_ms"] * 1e6
    least_runs, least_ns = settings["warmup_min_runs"], settings["warmup_min_ms"] * 1e6
    while (count < least_runs or total_ns < least_ns) and total_ns <= most_ns:
        check()
        spent = model.invoke_ns()
        count += 1
        total_ns += spent
        if count <= _KEPT_WARM_UPS:
            times.append(spent)
    return times


def _timed_runs(
    model: Model,
    settings: Dict[str, Any],
    earlier: List[int],
    is_last: bool,
    check: Callable[[], None],
) -> List[int]:
    """Times runs until this launch has its share, the last one until all together suffice.

    The rule is looked at after a tenth more runs each time: sorting thousands of samples between
    runs would itself disturb the caches.
    """
    share = settings["launches"]
    runs: List[int] = []
    total_ns, next_look = 0, max(1, settings["min_runs"] // share)
    while True:
        check()
        spent = model.invoke_ns()
        runs.append(spent)
        total_ns += spent
        if (
            total_ns / 1e6 >= settings["max_ms"] / share
            or len(runs) * share >= settings["max_runs"]
        ):
            return runs
        if len(runs) < next_look:
            continue
        next_look = len(runs) + max(1, len(runs) // 10)
        if is_last and wire.enough_runs(earlier + runs, settings):
            return runs
        if not is_last and total_ns / 1e6 >= settings["min_ms"] / share:
            return runs


def _launch(
    runtime: Runtime,
    path: str,
    settings: Dict[str, Any],
    sample: Optional[Sequence[Any]],
    progress: Tuple[List[int], bool, Callable[[], None]],
) -> Tuple[Model, Dict[str, Any]]:
    earlier, is_last, check = progress
    model = Model(runtime, path, settings["threads"], settings.get("input_shapes", ()))
    source = inputs.FILE if settings.get("input_file") else inputs.GIVEN
    model.set_inputs(sample, settings.get("input_ranges", ()), source)
    first = model.invoke_ns()
    warm_up = _warm_up(model, settings, check)
    runs = _timed_runs(model, settings, earlier, is_last, check)
    launch = {"load_ns": model.load_ns, "first_ns": first, "warmup_ns": warm_up, "runs_ns": runs}
    return model, launch


def measure(
    runtime: Runtime,
    model: Dict[str, Any],
    request: Dict[str, Any],
    check: Callable[[], None] = lambda: None,
) -> Dict[str, Any]:
    """Measures one model of a `measure` request.

    Args:
        runtime: to measure with.
        model: one of the request's `models`.
        request: a checked message.
        check: called between runs; raises to stop.

    Returns:
        The fields of one of the `results`, without `agent`.

    Raises:
        WireError: the model or the request can't be served.
        Cancelled: by `check`.
    """
    settings, samples = request["settings"], model.get("inputs") or []
    read, path = request.get("read", []), model["path"]
    model_sha256, model_bytes = sha256_of(path)
    before = reading(read)
    launches: List[Dict[str, Any]] = []
    runs: List[int] = []
    loaded: Optional[Model] = None
    collecting = gc.isenabled()
    gc.disable()
    try:
        with pinned(settings["core_mask"]):
            memory = PeakMemory()
            for number in range(settings["launches"]):
                progress = (runs, number == settings["launches"] - 1, check)
                loaded = None  # frees the last one before the next is loaded
                first = samples[0] if samples else None
                loaded, launch = _launch(runtime, path, settings, first, progress)
                launches.append(launch)
                runs = runs + launch["runs_ns"]
            assert loaded is not None
            after, peak, delegates = reading(read), memory.report(), loaded.delegates
            fed = loaded.inputs
            outputs = [_outputs(loaded, sample) for sample in samples]
    finally:
        if collecting:
            gc.enable()
    return {
        "job": model["job"],
        "model_sha256": model_sha256,
        "model_bytes": model_bytes,
        "settings": settings,
        "inputs": fed,
        "launches": launches,
        "delegates": delegates,
        "memory": peak,
        "before": before,
        "after": after,
        "outputs": outputs,
    }


def _outputs(model: Model, sample: Sequence[Any]) -> List[Dict[str, Any]]:
    model.set_inputs(sample)
    model.invoke_ns()
    return model.outputs()
