"""Measurement: raw samples, conditions and provenance; statistics are derived from them."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.reader import require_finite, require_range
from adadeep.core.statistics import Summary, summarise
from adadeep.core.target import CPU, Target

# Longer than any real measurement: an hour a run, and what a reader takes at the most.
_LONGEST_NS = 3_600_000_000_000
_MOST_RUNS, _MOST_LAUNCHES = 100_000, 100


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
    """

    timestamp: float
    cpu_khz: tuple[int | None, ...] = ()
    governors: tuple[str | None, ...] = ()
    temperatures_c: dict[str, float] = field(default_factory=dict)
    load_1min: float | None = None
    battery_percent: float | None = None
    battery_status: str | None = None
    online_cores: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        require_finite("a condition", self.timestamp, self.load_1min, self.battery_percent)
        require_finite("a temperature", *self.temperatures_c.values())
        require_range("a clock in kHz", 0, 1e8, *self.cpu_khz)
        require_range("a core's number", 0, 1e5, *self.online_cores)


@dataclass(frozen=True, slots=True)
class Launch:
    """One load of the model and what ran in it; times in ns.

    Attributes:
        load_ns: from the file to tensors allocated.
        first_ns: the first inference.
        warmup_ns: the further runs before timing.
        runs_ns: every timed run, in order.
    """

    load_ns: int
    first_ns: int
    warmup_ns: tuple[int, ...]
    runs_ns: tuple[int, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.runs_ns) <= _MOST_RUNS or len(self.warmup_ns) > _MOST_RUNS:
            raise ValueError(f"a launch has {len(self.runs_ns)} timed runs")
        times = (self.load_ns, self.first_ns, *self.warmup_ns, *self.runs_ns)
        require_range("a time in ns", 1, _LONGEST_NS, min(times), max(times))


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
        )


@dataclass(frozen=True, slots=True)
class Measurement:
    """What measuring one model on one device gave.

    Attributes:
        model_sha256: of the .tflite.
        model_bytes: its size.
        device_fingerprint: DeviceFacts.fingerprint.
        device_title: for people.
        agent: who measured.
        settings: how.
        launches: raw samples.
        delegates: who ran the nodes.
        memory: of the agent.
        before: conditions before the first load.
        after: conditions after the last run.
        anchor_ratio: median over the median of the anchor model measured around it; None without.
        anchor_drift: (anchor after - anchor before) / anchor before; None without.
        disturbed: why the samples are suspect ("clock dropped 23 %", ...); empty if they are not.
        attempts: how often it was measured before this was accepted.
        inputs: what the model was fed; empty where that was not recorded yet.
        accelerator: what ran the nodes.
    """

    model_sha256: str
    model_bytes: int
    device_fingerprint: str
    device_title: str
    agent: Agent
    settings: MeasureSettings
    launches: tuple[Launch, ...]
    delegates: tuple[Delegate, ...]
    memory: Memory
    before: Conditions
    after: Conditions
    anchor_ratio: float | None = None
    anchor_drift: float | None = None
    disturbed: tuple[str, ...] = ()
    attempts: int = 1
    inputs: tuple[FedInput, ...] = ()
    accelerator: str = CPU

    def __post_init__(self) -> None:
        if not 1 <= len(self.launches) <= _MOST_LAUNCHES:
            raise ValueError(f"a measurement has {len(self.launches)} launches")
        require_range("model_bytes", 1, 1 << 40, self.model_bytes)
        require_range("anchor_ratio", 0, 1e9, self.anchor_ratio)
        require_range("anchor_drift", -1, 1e9, self.anchor_drift)

    @property
    def target(self) -> Target:
        """What it is a measurement of, the model aside."""
        return self.agent.target(
            self.device_fingerprint, self.device_title, self.settings, self.accelerator
        )

    @property
    def key(self) -> str:
        """Cache key: model and target."""
        return measurement_key(self.model_sha256, self.target)

    @property
    def runs_ms(self) -> tuple[float, ...]:
        """All timed runs in ms, in order."""
        return tuple(ns / 1e6 for launch in self.launches for ns in launch.runs_ns)

    @property
    def latency(self) -> Summary:
        """Median, interval and percentiles of the timed runs, in ms."""
        return summarise(self.runs_ms)

    @property
    def latency_ms(self) -> float:
        """The median of the timed runs."""
        return self.latency.median

    @property
    def first_ms(self) -> float:
        """The first inference of the first launch."""
        return self.launches[0].first_ns / 1e6

    @property
    def load_ms(self) -> float:
        """The first load."""
        return self.launches[0].load_ns / 1e6


def measurement_key(model_sha256: str, target: Target) -> str:
    """The cache key of design, rule 4."""
    return f"{model_sha256[:16]}-{target.key}"


def new_study() -> str:
    """A fresh name for what is measured together: a search, a profile, one command."""
    return secrets.token_hex(4)


def is_study(name: str) -> bool:
    """Whether it is such a name: 8 hex digits."""
    return re.fullmatch("[0-9a-f]{8}", name) is not None


def job_name(study: str, key: str) -> str:
    """The name under which a result waits on the device: a study's own, never another's."""
    return f"{study}-{key}"
