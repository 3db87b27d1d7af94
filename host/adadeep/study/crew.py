"""Who carries out a study's jobs: the worker process makes networks, meters measure them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from adadeep.core.errors import AdaDeepError, ConfigError
from adadeep.core.noise import NoiseModel
from adadeep.core.session import MeasuredTogether
from adadeep.measure.meter import LatencyMeter
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.records import TargetRecord
from adadeep.study.jobs import Done, MadeNetwork, MakeJob, MeasureJob
from adadeep.study.references import built_in
from adadeep.study.trainer import Answer, Trainer
from adadeep.study.worker_messages import Made, Make


@dataclass(frozen=True, slots=True)
class DeviceBench:
    """A target with its device at hand.

    Attributes:
        record: of the journal.
        meter: of the device.
        resource: what measuring there needs for itself alone.
    """

    record: TargetRecord
    meter: LatencyMeter
    resource: str

    @property
    def noise(self) -> NoiseModel:
        """Of the device, as it is known now."""
        return self.meter.noise

    @property
    def recovered(self) -> tuple[MeasuredTogether, ...]:
        """Sessions of this study that an earlier host left on the device."""
        return self.meter.recovered

    def acknowledge(self, session_ids: list[str]) -> None:
        """Lets the device forget these sessions."""
        self.meter.acknowledge(session_ids)


class StudyCrew:
    """The crew of a study.

    Args:
        trainer: makes networks, one after the other.
        benches: by target key.
        store: of the run's models.
        stage: is told what is measured.
        note: is told what is odd about a network.
    """

    def __init__(
        self,
        trainer: Trainer,
        benches: Mapping[str, DeviceBench],
        store: ArtifactStore,
        stage: Callable[[str], None],
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._trainer = trainer
        self._benches = dict(benches)
        self._store = store
        self._stage = stage
        self._note = note
        self._references: dict[str, bytes] = {}  # of the last session: they come again
        self._making: list[MakeJob] = []
        self._began = 0.0  # when the first of them was begun

    def start(self, job: MakeJob) -> None:
        """Hands a network to the worker."""
        if not self._making:
            self._began = time.monotonic()
        self._making.append(job)
        self._trainer.start(Make(job.plan, str(self._store.make()), job.full))

    def finished(self, wait_s: float) -> Done | None:
        """The next network that is made."""
        answer = self._trainer.finished(wait_s)
        if answer is None:
            return None
        job, now = self._making.pop(0), time.monotonic()
        seconds, self._began = now - self._began, now
        return self._taken(job, answer, seconds)

    def measure(self, job: MeasureJob) -> Done:
        """Measures on a target, a plan's network beside others."""
        bench, start = self._benches[job.target], time.monotonic()
        self._stage(f"measuring {job.plan.label} on {bench.record.target.device_title}")
        try:
            models = [self._model(name) for name in job.models]
            self._references = dict(zip(job.models[1:], models[1:], strict=True))
            result = bench.meter.measure(models, job.measuring, job.launches)
        except AdaDeepError as error:
            return Done(job, None, error, time.monotonic() - start)
        return Done(job, result, None, time.monotonic() - start)

    def _model(self, name: str) -> bytes:
        model = built_in(name) or self._references.get(name) or self._store.get(name)
        if model is None:
            raise ConfigError(
                f"the model {name[:16]} has gone from the run's folder, or was changed; run the"
                " same command again: it is made anew."
            )
        return model

    def _taken(self, job: MakeJob, answer: Answer, seconds: float) -> Done:
        if not isinstance(answer.reply, Made):
            return Done(job, None, answer.error, seconds)
        made = answer.reply
        for line in made.notes:
            self._note(line)
        network = Path(made.network) if made.network else None
        assert made.scores is not None  # a search has data
        stored = self._store.adopt(Path(made.model), network)
        result = MadeNetwork(
            stored.model_sha256, stored.file_bytes, made.scores, made.spec, stored.network_sha256
        )
        return Done(job, result, None, seconds)
