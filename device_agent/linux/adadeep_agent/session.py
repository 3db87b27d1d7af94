"""A session: models measured in turn. `PROTOCOL.md` says exactly how."""

from __future__ import annotations

import contextlib
import gc
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from adadeep_agent import inputs, turns
from adadeep_agent.blocks import (
    BlockTexts,
    Clocks,
    SleepGuard,
    dropped_runs,
    run_ns,
    timed_runs,
    weight_of,
    with_texts,
)
from adadeep_agent.process import PeakMemory, memory_available, pinned
from adadeep_agent.readings import reading
from adadeep_agent.runner import Model, Runtime, known_sha256_of, running
from adadeep_agent.wire import ErrorCode, Message, WireError

PROGRESS_NS = 2_000_000_000
_LONG_FIRST_NS = 100_000_000  # after such a first inference no further runs tell how long one is
_PART_BYTES = 2_000_000  # about so long a placement may be on the wire
_ROOM = 3  # times a model's size that it takes when it is loaded
_LOADING_SHARE = 4  # timed runs take so many times what loading took


class Hooks:
    """What a session tells while it goes on; each may raise to end it.

    Args:
        check: called between runs.
        progress: takes the fields of a `progress`.
        part: takes the fields of a `part`.
    """

    def __init__(
        self,
        check: Callable[[], None] = lambda: None,
        progress: Callable[[Message], None] = lambda _: None,
        part: Callable[[Message], None] = lambda _: None,
    ) -> None:
        self.check, self.progress, self.part = check, progress, part


@contextlib.contextmanager
def blaming(name: str) -> Iterator[None]:
    """Errors of what is done here name the model."""
    try:
        yield
    except WireError as error:
        error.model = name
        raise


class Entry:
    """One of a request's models.

    Args:
        wanted: of the request's `models`.
        plan: of the request.
    """

    def __init__(self, wanted: Message, plan: Message) -> None:
        self.name: str = wanted["name"]
        self.path: str = wanted["path"]
        self.sha256: str = wanted["sha256"]
        self.samples: List[Any] = wanted.get("inputs") or []
        self.block_ns: float = float(wanted.get("block_ms") or plan["block_ms"]) * 1e6
        self.bytes = 0
        self.model: Optional[Model] = None  # loaded, of the placement
        self.values: Any = None  # that it is fed, the same in every placement
        self.run_ns, self.group, self.first_ns = 0.0, 1, 0
        self.placed: Message = {}

    def examine(self) -> None:
        """Sees that the file is the one that is meant.

        Raises:
            WireError: `model_missing` or `model_damaged`.
        """
        found, self.bytes = known_sha256_of(self.path)
        if found != self.sha256:
            text = f"the model is damaged on the device: its SHA-256 begins with {found[:8]}"
            raise WireError(text, ErrorCode.MODEL_DAMAGED)

    @property
    def loaded(self) -> Model:
        """The model; only while it is."""
        assert self.model is not None
        return self.model


class Session:
    """Measures the models of a `measure` request.

    Args:
        runtime: to measure with.
        request: a checked message.
        hooks: told as it goes on.
        clocks: that tell the times.
    """

    def __init__(
        self, runtime: Runtime, request: Message, hooks: Hooks, clocks: Optional[Clocks] = None
    ) -> None:
        self._runtime, self._hooks = runtime, hooks
        self._clocks = clocks or Clocks()
        self._settings, self._plan = request["settings"], request["plan"]
        self._read = (request.get("read", []), request.get("commands", []))
        self._entries = [Entry(model, self._plan) for model in request["models"]]
        self._texts = BlockTexts(request.get("read_block", []))
        self._order = turns.Order(self._plan["seed"])
        self._guard = SleepGuard(self._clocks)
        self._clock_ns = max(self._clocks.quality())
        self._series: List[List[float]] = [[] for _ in range(max(1, len(self._entries) - 1))]
        self._placement = 0
        self._loadings_ns: List[float] = []
        self._width: Optional[float] = None
        self._began = self._told = self._clocks.now()
        self._buffer: Any = None

    def run(self, warm: bool) -> Message:
        """Measures.

        Args:
            warm: whether this process has measured before.

        Returns:
            The fields of a `result` but `job`, `agent` and `type`.

        Raises:
            WireError: a model or the request can't be served; names the model.
            Cancelled: or whatever else the hooks raise.
        """
        for entry in self._entries:
            with blaming(entry.name):
                entry.examine()
        _require_room(self._entries, self._plan["cold_bytes"])
        before = reading(*self._read)
        collecting = gc.isenabled()
        gc.disable()
        try:
            with pinned(self._settings["core_mask"]):
                memory = PeakMemory()
                ended = self._placements(warm)
                after, peak = reading(*self._read), memory.report()
                models = [self._told_of(entry) for entry in self._entries]
        finally:
            self._texts.close()
            if collecting:
                gc.enable()
        return {
            "settings": self._settings, "plan": self._plan, "read_block": self._texts.entries,
            "models": models, "memory": peak, "before": before, "after": after,
            "ended": ended, "parts": self._placement,
        }  # fmt: skip

    def _placements(self, warm: bool) -> str:
        self._began = self._told = self._clocks.now()
        if self._plan["cold_runs"] and self._plan["cold_bytes"]:
            self._buffer = _swept(self._plan["cold_bytes"])
        while True:
            self._place(warm or self._placement > 0)
            ended = turns.ended(self._placement, self._width, self._elapsed_ms, self._plan)
            if ended:
                return ended

    @property
    def _elapsed_ms(self) -> float:
        return (self._clocks.now() - self._began) / 1e6

    def _place(self, warm: bool) -> None:
        began = self._clocks.now()
        self._load()
        loading_ns = self._clocks.now() - began
        if not warm:
            for entry in self._entries:
                self._warm_up(entry)
        sizing = self._clocks.now()
        for entry in self._entries:
            if not self._placement:
                self._measure_a_run(entry)
            entry.group = self._group(entry)
        loading_ns += self._clocks.now() - sizing
        self._loadings_ns.append(loading_ns)
        self._rounds(turns.median(self._loadings_ns))
        for entry in self._entries:
            self._cold(entry)
        self._guard.look()
        runs = [[run_ns(block) for block in entry.placed["blocks"]] for entry in self._entries]
        for entry, own in zip(self._entries, runs):
            entry.run_ns = turns.median(own)
        said = turns.placement_logs(runs)
        for values, value in zip(self._series, said):
            values.append(value)
        self._width = turns.half_width(self._series)
        part = {
            "placement": self._placement,
            "models": [with_texts(entry.placed) for entry in self._entries],
        }
        self._placement += 1
        self._hooks.part(part)

    def _load(self) -> None:
        """Loads every model anew; the old ones are gone before."""
        for entry in self._entries:
            entry.model = None
        for number in self._order.shuffled(len(self._entries)):
            entry = self._entries[number]
            self._hooks.check()
            with blaming(entry.name):
                self._load_one(entry)
            self._progress()

    def _load_one(self, entry: Entry) -> None:
        settings = self._settings
        source = inputs.FILE if settings.get("input_file") else inputs.GIVEN
        shapes = settings.get("input_shapes", ())
        entry.model = Model(self._runtime, entry.path, settings["threads"], shapes)
        if entry.values is None:
            sample = entry.samples[0] if entry.samples else None
            entry.values = entry.model.values(sample, settings.get("input_ranges", ()), source)
        entry.model.feed(entry.values)
        with running(entry.model) as invoke:
            began = self._clocks.now()
            invoke()
            entry.first_ns = max(1, self._clocks.now() - began)
        entry.placed = {
            "load_ns": max(1, entry.model.load_ns), "first_ns": entry.first_ns,
            "cold_ns": [], "blocks": [],
        }  # fmt: skip

    def _warm_up(self, entry: Entry) -> None:
        least_ns = self._plan["warmup_ms"] * 1e6
        if entry.first_ns > 10 * least_ns:
            return
        with blaming(entry.name), running(entry.loaded) as invoke:
            dropped_runs(invoke, (0, least_ns), self._clocks.now, self._hooks.check)
        self._progress()

    def _measure_a_run(self, entry: Entry) -> None:
        """Finds out how long a run is, about; later placements know it of the one before."""
        entry.run_ns = entry.first_ns
        if entry.first_ns <= _LONG_FIRST_NS:
            with blaming(entry.name), running(entry.loaded) as invoke:
                for _ in range(2):
                    began = self._clocks.now()
                    invoke()
                    entry.run_ns = min(entry.run_ns, self._clocks.now() - began)

    def _group(self, entry: Entry) -> int:
        entry.run_ns = max(1.0, entry.run_ns)
        return turns.group_size(entry.run_ns, self._clock_ns, entry.block_ns, self._plan)

    def _rounds(self, loading_ns: float) -> None:
        least_ns = max(self._plan["placement_ms"] * 1e6, _LOADING_SHARE * loading_ns)
        number = timed_ns = weight = 0
        self._texts.pause()
        while timed_ns < least_ns and weight < _PART_BYTES:
            blocks = self._round(number)
            if blocks is None:
                return
            for entry, block in zip(self._entries, blocks):
                entry.placed["blocks"].append(block)
                timed_ns += sum(block["times_ns"])
                weight += weight_of(block)
            number += 1
            if self._elapsed_ms >= self._plan["max_ms"]:
                return

    def _round(self, number: int) -> Optional[List[Message]]:
        """A block of each model, in the request's order; None if there is no time for it."""
        blocks: List[Message] = [{} for _ in self._entries]
        for model in self._order.shuffled(len(self._entries)):
            if number and self._elapsed_ms > 2 * self._plan["max_ms"]:
                return None
            entry = self._entries[model]
            with blaming(entry.name), running(entry.loaded) as invoke:
                blocks[model] = self._block(entry, invoke, number)
            self._guard.look()
            self._progress()
        return blocks

    def _block(self, entry: Entry, invoke: Callable[[], Any], number: int) -> Message:
        plan, clocks = self._plan, self._clocks
        self._hooks.check()
        core = clocks.core() if clocks.core else None
        texts = self._texts.ahead(core)
        dropped = None
        if entry.run_ns <= 10 * entry.block_ns:
            least = (plan["drop_runs"], plan["drop_ms"] * 1e6)
            dropped = dropped_runs(invoke, least, clocks.now, self._hooks.check)
        boot, start, cpu = clocks.boot and clocks.boot(), clocks.now(), clocks.cpu()
        until = (entry.block_ns, min(10_000, 4 * plan["block_timings"]))
        times = timed_runs(invoke, entry.group, until, clocks.now, self._between)
        cpu = max(0, clocks.cpu() - cpu)
        return {
            "round": number, "start_ns": start, "boot_ns": boot, "group": entry.group,
            "times_ns": times, "dropped_ns": dropped, "cpu_ns": cpu, "core": core,
            "texts": [texts, self._texts.behind(core)],
        }  # fmt: skip

    def _between(self) -> None:
        """Between two timings."""
        self._hooks.check()
        self._progress()

    def _cold(self, entry: Entry) -> None:
        for number in range(self._plan["cold_runs"]):
            is_first = self._placement == number == 0
            if not is_first and self._elapsed_ms > 2 * self._plan["max_ms"]:
                return
            self._hooks.check()
            if self._buffer is not None:
                self._buffer += 1  # reads and writes it all
            with blaming(entry.name), running(entry.loaded) as invoke:
                began = self._clocks.now()
                invoke()
                entry.placed["cold_ns"].append(max(1, self._clocks.now() - began))

    def _progress(self) -> None:
        now = self._clocks.now()
        if now - self._told < PROGRESS_NS:
            return
        self._told = now
        width = None if self._width is None else round(self._width, 6)
        self._hooks.progress({
            "placement": self._placement, "placements": self._plan["placements"],
            "elapsed_ms": round((now - self._began) / 1e6, 1), "half_width": width,
        })  # fmt: skip

    def _told_of(self, entry: Entry) -> Message:
        fed = entry.loaded.inputs
        with blaming(entry.name):
            return {
                "name": entry.name, "model_sha256": entry.sha256, "model_bytes": entry.bytes,
                "delegates": entry.loaded.delegates, "inputs": fed,
                "outputs": [self._outputs(entry.loaded, sample) for sample in entry.samples],
            }  # fmt: skip

    def _outputs(self, model: Model, sample: Sequence[Any]) -> List[Message]:
        self._hooks.check()
        model.set_inputs(sample)
        with running(model) as invoke:
            invoke()
        return model.outputs()


def _require_room(entries: Sequence[Entry], cold_bytes: int) -> None:
    free, sizes = memory_available(), [entry.bytes for entry in entries]
    need = _ROOM * sum(sizes) + cold_bytes
    if free is None or need <= free:
        return
    names = ", ".join(f"{entry.name} {entry.bytes / 1e6:.1f} MB" for entry in entries[:8])
    error = WireError(
        f"not enough memory to hold the models at once: {names} take about {need / 1e6:.0f} MB,"
        f" and {free / 1e6:.0f} MB are free",
        ErrorCode.OUT_OF_MEMORY,
    )
    error.model = max(entries, key=lambda entry: entry.bytes).name
    raise error


def _swept(size: int) -> Any:
    import numpy

    return numpy.zeros(size, numpy.uint8)


def measure(
    runtime: Runtime,
    request: Message,
    hooks: Optional[Hooks] = None,
    clocks: Optional[Clocks] = None,
    warm: bool = False,
) -> Dict[str, Any]:
    """Measures the models of a request; see `Session`."""
    return Session(runtime, request, hooks or Hooks(), clocks).run(warm)
