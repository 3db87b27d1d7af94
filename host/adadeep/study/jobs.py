"""What a study has others do for it: plain values, and who carries them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from adadeep.core.layers import ModelSpec
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.plan import CompressionPlan
from adadeep.core.scores import SampleScores
from adadeep.core.session import MeasuredTogether

TRAINING = "training"


@dataclass(frozen=True, slots=True)
class MadeNetwork:
    """A plan's network, trained and converted.

    Attributes:
        model_sha256: of the .tflite, which is in the run's store.
        file_bytes: its size.
        scores: of the validation samples.
        spec: what it is, in its precision.
        network_sha256: of the .keras beside that; None where there is none.
    """

    model_sha256: str
    file_bytes: int
    scores: SampleScores
    spec: ModelSpec
    network_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class MakeJob:
    """Compress, train, convert and judge a plan's network; gives a `MadeNetwork`.

    Attributes:
        plan: what to make of the initial network.
        resource: what it needs for itself alone meanwhile.
        full: whether by the full recipe, not the short one of a search.
    """

    plan: CompressionPlan
    resource: str = TRAINING
    full: bool = False


@dataclass(frozen=True, slots=True)
class MeasureJob:
    """Measure models on a target in turn; gives the session.

    Attributes:
        plan: whose network it is, for messages.
        target: its key.
        models: their SHA-256, or names of built-in references; the plan's is the first.
        resource: what it needs for itself alone meanwhile.
        measuring: how it goes.
        launches: of the agent's process.
    """

    plan: CompressionPlan
    target: str
    models: tuple[str, ...]
    resource: str
    measuring: MeasuringPlan = field(default_factory=MeasuringPlan)
    launches: int = 1


Job = MakeJob | MeasureJob
Result = MadeNetwork | MeasuredTogether


@dataclass(frozen=True, slots=True)
class Done:
    """A job that ended.

    Attributes:
        job: as it was submitted.
        result: what it gave; None if it failed.
        error: why it failed; None if it did not.
        seconds: that it took.
    """

    job: Job
    result: Result | None
    error: Exception | None
    seconds: float


class Crew(Protocol):
    """Who carries out jobs: a maker that works beside us, and meters that we work ourselves."""

    def start(self, job: MakeJob) -> None:
        """Hands a network to the maker, which makes one after the other."""
        ...

    def finished(self, wait_s: float) -> Done | None:
        """The next network that is made; None if none is within so many seconds."""
        ...

    def measure(self, job: MeasureJob) -> Done:
        """Measures on a target."""
        ...


class Executor(Protocol):
    """In what order jobs are carried out, and which at the same time.

    What comes of a job must not depend on it; a study tells results in the order asked.
    """

    def submit(self, job: Job) -> None:
        """Takes a job on."""
        ...

    def next_done(self) -> Done:
        """Waits for the next job that ends; there must be one that was submitted."""
        ...


class ExecutorKind(Protocol):
    """An entry of the registry of executors.

    Attributes:
        name: in the registry: "serial".
        title: for people.
        look_ahead: asks that may be open, unless the user says.
    """

    name: str
    title: str
    look_ahead: int

    def make(self, crew: Crew) -> Executor:
        """A fresh one."""
        ...
