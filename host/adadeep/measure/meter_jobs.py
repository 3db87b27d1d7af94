"""What a meter is asked to measure, and which models stay on the device meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from adadeep.core.clock import Deadline
from adadeep.core.session import MeasuredTogether
from adadeep.devices.agent import AgentClient, RemoteModel
from adadeep.measure.tensors import to_message

_NAME_DIGITS = 8
_MOST_KEPT_BYTES = 256_000_000  # on the device, for as long as the agent runs
_LAST_HASHED = 3


@dataclass(frozen=True, slots=True)
class ModelJob:
    """A model that is to be measured, and what is wanted besides.

    Attributes:
        model: a .tflite.
        samples: each a list of one array for each input of the model; outputs are wanted of each.
        keep_as: name below the work folder under which it stays on the device.
        name: for errors; empty for the first 8 digits of the model's SHA-256.
        block_ms: of this model, in place of the plan's; a reference may get less time.
    """

    model: bytes
    samples: Sequence[Sequence[np.ndarray]] = ()
    keep_as: str | None = None
    name: str = ""
    block_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A session and what its models gave for the samples.

    Attributes:
        session: the times.
        outputs: of each model one list a sample, of one array an output tensor.
    """

    session: MeasuredTogether
    outputs: list[list[list[np.ndarray]]]


class Digests:
    """SHA-256 of models: 13 MB take 15 ms, and references come again and again."""

    def __init__(self) -> None:
        self._last: list[tuple[bytes, str]] = []

    def of(self, model: bytes) -> str:
        """Of a model; one of the last few, the very same object, is not hashed again."""
        known = next((digest for one, digest in self._last if one is model), None)
        digest = known or hashlib.sha256(model).hexdigest()
        others = [pair for pair in self._last if pair[0] is not model]
        self._last = [*others, (model, digest)][-_LAST_HASHED:]
        return digest


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs of one session, with the models' hashes."""

    jobs: tuple[ModelJob, ...]
    digests: tuple[str, ...]

    @classmethod
    def of(cls, jobs: Sequence[ModelJob], digests: Digests | None = None) -> Batch:
        """The batch of these jobs; `digests` knows models that came before."""
        known = digests or Digests()
        return cls(tuple(jobs), tuple(known.of(job.model) for job in jobs))

    @property
    def has_samples(self) -> bool:
        """Whether outputs are wanted, which no spool keeps."""
        return any(job.samples for job in self.jobs)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the models, for errors."""
        pairs = zip(self.jobs, self.digests, strict=True)
        return tuple(job.name or digest[:_NAME_DIGITS] for job, digest in pairs)

    @property
    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Name and .tflite of each model."""
        return zip(self.names, (job.model for job in self.jobs), strict=True)


def model_name(model: bytes) -> str:
    """What errors call a model that was given no name."""
    return hashlib.sha256(model).hexdigest()[:_NAME_DIGITS]


class KeptModels:
    """Which models lie on the device, and stay there for the agent's life: references do.

    A model that is measured for the second time stays; candidates come once.
    """

    def __init__(self) -> None:
        self._paths: dict[str, str] = {}
        self._seen: set[str] = set()
        self._bytes = 0

    def clear(self) -> None:
        """The agent is another one, or files are missing."""
        self._paths.clear()
        self._bytes = 0

    def measured(self, batch: Batch) -> None:
        """Hears of what was measured."""
        self._seen.update(batch.digests)

    def put(self, agent: AgentClient, batch: Batch, deadline: Deadline) -> list[RemoteModel]:
        """Pushes what is not there yet; gives what the request says of each model."""
        return [self._put(agent, batch, place, deadline) for place in range(len(batch.jobs))]

    def _put(
        self, agent: AgentClient, batch: Batch, place: int, deadline: Deadline
    ) -> RemoteModel:
        job, digest = batch.jobs[place], batch.digests[place]
        path = None if job.keep_as else self._paths.get(digest)
        stays = job.keep_as is not None or path is not None
        if path is None:
            name = job.keep_as or f"models/{digest}.tflite"
            path = agent.push_model(job.model, deadline, name)
            if not stays and self._may_stay(digest, len(job.model)):
                stays, self._paths[digest] = True, path
        return RemoteModel(
            name=batch.names[place],
            path=path,
            sha256=digest,
            inputs=[[to_message(array) for array in sample] for sample in job.samples],
            keep=stays,
            block_ms=job.block_ms,
        )

    def _may_stay(self, digest: str, size: int) -> bool:
        if digest not in self._seen or self._bytes + size > _MOST_KEPT_BYTES:
            return False
        self._bytes += size
        return True
