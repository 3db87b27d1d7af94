"""Measurement: raw samples, conditions and provenance; statistics are derived from them."""

from __future__ import annotations

import re
import secrets
import statistics
from dataclasses import dataclass, field

from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.reader import require_finite, require_hex, require_range
from adadeep.core.statistics import Summary, summarise
from adadeep.core.target import CPU, Target

SESSION_DIGITS = 16
# Longer than any real measurement: an hour a run, and what a reader takes at the most.
_LONGEST_NS = 3_600_000_000_000
_MOST_RUNS, _MOST_BLOCKS, _MOST_PLACEMENTS = 100_000, 100_000, 1000


@dataclass(frozen=True, slots=True)
class Conditions:
    """The state of the device at one moment; what can't be read is None or empty.

    Attributes:
        timestamp: seconds since 1970, by the device's clock.
        cpu_khz: current clock by core number; None for a core that does not tell.
        governors: by core number.
        temperatures_c: by zone name.
        load_1min: load average.
        battery_percent: 0..100.
        battery_status: as the device says.
        online_cores: numbers.
        throttled: how often since its boot cores and packages were slowed for their heat, in all.
        cooling: states of what cools by slowing processors, by name: 0 is full speed, and higher
            is slower.
        thermal_status: by Android's thermal service, 0 (none) to 6 (shutdown); from 2 on it
            throttles.
        screen: "on", "off", "dreaming", "dozing".
        doze: "none", "light", "deep": how far programs are held back to save power.
        battery_saver: whether it is on.
        plugged: where its power comes from: "usb", "ac", "wireless", "dock" or "nothing".
        scheduling: where the system let the agent run: "cpuset /foreground, cores 0-7".
    """

    timestamp: float
    cpu_khz: tuple[int | None, ...] = ()
    governors: tuple[str | None, ...] = ()
    temperatures_c: dict[str, float] = field(default_factory=dict)
    load_1min: float | None = None
    battery_percent: float | None = None
    battery_status: str | None = None
    online_cores: tuple[int, ...] = ()
    throttled: int | None = None
    cooling: dict[str, int] = field(default_factory=dict)
    thermal_status: int | None = None
    screen: str | None = None
    doze: str | None = None
    battery_saver: bool | None = None
    plugged: str | None = None
    scheduling: str | None = None

    def __post_init__(self) -> None:
        require_range("a thermal status", 0, 6, self.thermal_status)
        require_finite("a condition", self.timestamp, self.load_1min, self.battery_percent)
        require_finite("a temperature", *self.temperatures_c.values())
        require_range("a clock in kHz", 0, 1e8, *self.cpu_khz)
        require_range("a core's number", 0, 1e5, *self.online_cores)
        require_range("a count of throttling", 0, 1e15, self.throttled)
        require_range("a state of cooling", 0, 1e6, *self.cooling.values())


@dataclass(frozen=True, slots=True)
class Block:
    """Runs of a model one after the other, between those of others; times in ns.

    Attributes:
        round: of the placement, from 0; the models of a round have the same.
        start_ns: by the device's monotonic clock.
        group: how many runs a timing is of.
        times_ns: every timing, in order.
        dropped_ns: the first runs after the switch, which don't count: a first one, and then as
            many as the plan says; only the first of them.
        boot_ns: when it began by a clock that goes on while the device sleeps; None where there
            is none.
        cpu_ns: processor time of the timed runs; None where the kernel does not tell.
        delay_ns: that they waited for a processor; likewise.
        switches: how often they were driven off it; likewise.
        core: that they began on; likewise.
        khz: of that core afterwards; likewise.
    """

    round: int
    start_ns: int
    group: int
    times_ns: tuple[int, ...]
    dropped_ns: int | None = None
    boot_ns: int | None = None
    cpu_ns: int | None = None
    delay_ns: int | None = None
    switches: int | None = None
    core: int | None = None
    khz: int | None = None

    def __post_init__(self) -> None:
        require_range("round", 0, 1_000_000, self.round)
        require_range("group", 1, 1_000_000_000, self.group)
        if not 1 <= len(self.times_ns) <= _MOST_RUNS:
            raise ValueError(f"a block has {len(self.times_ns)} timings")
        require_range("a time in ns", 1, _LONGEST_NS, min(self.times_ns), max(self.times_ns))
        require_range("a time in ns", 0, _LONGEST_NS, self.dropped_ns, self.cpu_ns, self.delay_ns)
        require_range("a clock's reading", -(2**63), 2**63, self.start_ns, self.boot_ns)
        require_range("switches", 0, 1e9, self.switches)
        require_range("a core's number", 0, 1e5, self.core)
        require_range("a clock in kHz", 0, 1e8, self.khz)

    @property
    def runs_ms(self) -> tuple[float, ...]:
        """One run's time, of each timing."""
        return tuple(ns / self.group / 1e6 for ns in self.times_ns)

    @property
    def median_ms(self) -> float:
        """The median of a run's time."""
        return statistics.median(self.times_ns) / self.group / 1e6


@dataclass(frozen=True, slots=True)
class Placement:
    """One load of the model, a place in memory, and what ran in it; times in ns.

    Attributes:
        number: of the session, from 0; the models of a session have the same ones.
        launch: of the agent's process, from 0.
        load_ns: from the file to tensors allocated.
        first_ns: the first inference.
        blocks: in their order.
        cold_ns: runs with the caches full of other things.
    """

    number: int
    launch: int
    load_ns: int
    first_ns: int
    blocks: tuple[Block, ...]
    cold_ns: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.blocks) <= _MOST_BLOCKS or len(self.cold_ns) > _MOST_RUNS:
            raise ValueError(f"a placement has {len(self.blocks)} blocks")
        require_range("a number of a placement", 0, 1e6, self.number, self.launch)
        require_range("a time in ns", 1, _LONGEST_NS, self.load_ns, self.first_ns, *self.cold_ns)

    @property
    def median_ms(self) -> float:
        """The median of its blocks' medians: a block that was disturbed does not count more."""
        return statistics.median(block.median_ms for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Delegate:
    """Who ran how many nodes of the graph.

    Attributes:
        name: "XNNPACK", or "none" for the runtime's own kernels.
        nodes: how many it took.
    """

    name: str
    nodes: int

    def __post_init__(self) -> None:
        require_range("a number of nodes", 0, 1e9, self.nodes)


@dataclass(frozen=True, slots=True)
class FedInput:
    """An input of the model and what it was fed while it was timed.

    Attributes:
        name: of the tensor.
        dtype: of its elements, "float32".
        shape: that was measured.
        signature: as the model has it, -1 where it leaves a size open.
        fed: "random 0..1", "range 0..9", "zeros", "given", "file".
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    fed: str


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of the agent's process; None where the kernel does not tell.

    Attributes:
        rss_before_bytes: before the first load.
        peak_rss_bytes: the highest while loading and running.
        rss_growth_bytes: peak less before.
        peak_was_reset: False if the kernel's mark could not be reset: the peak may then be an
            older one.
    """

    rss_before_bytes: int | None = None
    peak_rss_bytes: int | None = None
    rss_growth_bytes: int | None = None
    peak_was_reset: bool = False

    def __post_init__(self) -> None:
        sizes = (self.rss_before_bytes, self.peak_rss_bytes, self.rss_growth_bytes)
        require_range("a size of memory", -(1 << 50), 1 << 50, *sizes)


@dataclass(frozen=True, slots=True)
class Agent:
    """Who measured.

    Attributes:
        name: of its kind: "linux-python".
        version: of adadeep.
        runtime: "ai_edge_litert", "tflite_runtime" or "tensorflow".
        runtime_version: of the runtime.
    """

    name: str
    version: str
    runtime: str
    runtime_version: str

    def target(
        self,
        device_fingerprint: str,
        device_title: str,
        settings: MeasureSettings,
        accelerator: str = CPU,
        scheduling: str | None = None,
    ) -> Target:
        """The target of what it measures so on a device."""
        return Target(
            device_fingerprint=device_fingerprint,
            device_title=device_title,
            agent=self.name,
            runtime=self.runtime,
            runtime_version=self.runtime_version,
            settings=settings,
            accelerator=accelerator,
            scheduling=scheduling,
        )


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a session told of one of its models.

    Attributes:
        model_sha256: of the .tflite.
        model_bytes: its size.
        device_fingerprint: DeviceFacts.fingerprint.
        device_title: for people.
        agent: who measured.
        settings: how the model ran.
        placements: raw samples.
        delegates: who ran the nodes.
        memory: of the agent.
        before: conditions before the first load of the session.
        after: conditions after the last run of the session.
        session: names the session: 16 hex digits; measurements of one were interleaved and can be
            compared. Empty of one that was made alone, before there were sessions.
        inputs: what the model was fed; empty where that was not recorded yet.
        accelerator: what ran the nodes.
        disturbed: causes that make it suspect ("the clock dropped 23 %"); empty if there are none.
    """

    model_sha256: str
    model_bytes: int
    device_fingerprint: str
    device_title: str
    agent: Agent
    settings: MeasureSettings
    placements: tuple[Placement, ...]
    delegates: tuple[Delegate, ...]
    memory: Memory
    before: Conditions
    after: Conditions
    session: str = ""
    inputs: tuple[FedInput, ...] = ()
    accelerator: str = CPU
    disturbed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.placements) <= _MOST_PLACEMENTS:
            raise ValueError(f"a measurement has {len(self.placements)} placements")
        require_range("model_bytes", 1, 1 << 40, self.model_bytes)
        if self.session:
            require_hex("session", SESSION_DIGITS, self.session)

    @property
    def target(self) -> Target:
        """What it is a measurement of, the model aside."""
        return self.agent.target(
            self.device_fingerprint, self.device_title, self.settings, self.accelerator,
            self.before.scheduling,
        )  # fmt: skip

    @property
    def key(self) -> str:
        """Cache key: model and target."""
        return measurement_key(self.model_sha256, self.target)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Of all placements, in order."""
        return tuple(block for placement in self.placements for block in placement.blocks)

    @property
    def runs_ms(self) -> tuple[float, ...]:
        """All timed runs in ms, in order; of runs that were timed in groups a group's mean."""
        return tuple(ms for block in self.blocks for ms in block.runs_ms)

    @property
    def runs(self) -> int:
        """How many runs were timed, those in groups counted one by one."""
        return sum(block.group * len(block.times_ns) for block in self.blocks)

    @property
    def latency(self) -> Summary:
        """Median and percentiles of the timed runs, in ms; its interval is of this session only.

        How far the median of another session may lie the device's noise tells: `core/noise.py`.
        """
        return summarise(self.runs_ms)

    @property
    def latency_ms(self) -> float:
        """The median of the placements' medians."""
        return statistics.median(placement.median_ms for placement in self.placements)

    @property
    def cold_ms(self) -> float | None:
        """The median of the runs with cold caches; None where there are none."""
        runs = [ns for placement in self.placements for ns in placement.cold_ns]
        return statistics.median(runs) / 1e6 if runs else None

    @property
    def first_ms(self) -> float:
        """The first inference of the first placement."""
        return self.placements[0].first_ns / 1e6

    @property
    def load_ms(self) -> float:
        """The first load."""
        return self.placements[0].load_ns / 1e6


def measurement_key(model_sha256: str, target: Target) -> str:
    """The cache key of design, rule 4."""
    return f"{model_sha256[:16]}-{target.key}"


def new_study() -> str:
    """A fresh name for what is measured together: a search, a profile, one command."""
    return secrets.token_hex(4)


def is_study(name: str) -> bool:
    """Whether it is such a name: 8 hex digits."""
    return re.fullmatch("[0-9a-f]{8}", name) is not None


def job_name(study: str, session: str) -> str:
    """The name under which a session waits on the device: a study's own, never another's."""
    return f"{study}-{session}"
