"""From plans to trials: hands jobs to an executor and journals what comes of them.

What the journal holds is not done again: a network that was made is not made again, a model that
was measured on a target is not measured there again. Results are journalled as they come, whatever
plan is waited for.

A trial keeps its network: where the model has gone from the folder (`adadeep runs prune`) it stays
unmeasured on targets that have not had it. Made anew it would be another network beside the old
measurements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adadeep.core.errors import ConversionError, TechniqueNotApplicable
from adadeep.core.plan import CompressionPlan
from adadeep.storage.records import Artifact, Remade, TrialRecord, content_key
from adadeep.study.jobs import Done, MadeNetwork, MakeJob, MeasureJob
from adadeep.study.measurer import Measurer, TargetBench, Workplace
from adadeep.study.underway import Underway, text_of


class Pipeline:
    """Evaluates plans on the targets of a study, several at a time.

    Args:
        place: what it works with.
        benches: the targets whose devices are at hand, by key.
    """

    def __init__(self, place: Workplace, benches: Mapping[str, TargetBench]) -> None:
        self._place = place
        self._measurer = Measurer(place, benches)
        self._underway: dict[str, Underway] = {}
        self._settled: dict[str, TrialRecord] = {}

    @property
    def attached(self) -> tuple[str, ...]:
        """Keys of the targets whose devices have not left."""
        return self._measurer.attached

    @property
    def left(self) -> tuple[str, ...]:
        """Titles of the devices that have."""
        return self._measurer.left

    def known(self, plan: CompressionPlan) -> TrialRecord | None:
        """What the journal has of a plan, where no target at hand has still to measure it."""
        record = self._place.journal.content.trials.get(plan.key)
        return record if record and not self._measurer.missing(record) else None

    def begin(self, plan: CompressionPlan) -> bool:
        """Sees to it that a plan is evaluated; does nothing for one that is known or begun.

        Returns:
            False if it was tried, some target lacks it, and its model has gone.
        """
        if plan.key in self._underway or self.known(plan):
            return True
        record = self._place.journal.content.trials.get(plan.key)
        artifact = self._artifact(plan, record)
        if record is not None and artifact is None:
            return False
        underway = Underway(plan) if record is None else Underway.again(record)
        self._begin(underway, artifact or self._taken(plan))
        return True

    def remake(self, plan: CompressionPlan) -> TrialRecord:
        """Has a plan's network made again by the full recipe and measured, and waits for it.

        What of it the journal holds is not done again. The plan itself is not on its way.

        Raises:
            DeviceError: the last device is gone, or it can take no model at all.
        """
        record = self._place.journal.content.remade.get(plan.key)
        if record is not None and not self._measurer.missing(record):
            return record
        artifact = self._artifact(plan, record, full=True)
        if record is not None and artifact is None:
            return record
        full = Underway(plan, full=True) if record is None else Underway.again(record, full=True)
        self._begin(full, artifact or self._taken(plan, full=True))
        while plan.key in self._underway:
            self._take(self._place.executor.next_done())
        return self._place.journal.content.remade[plan.key]

    def _begin(self, underway: Underway, artifact: Artifact | None) -> None:
        """Makes a network where there is none, else goes on with what there is."""
        plan = underway.plan
        self._underway[plan.key] = underway
        if artifact is None:
            how = ", with the full recipe" if underway.full else ""
            self._place.stage(f"making {plan.label}{how}")
            self._place.executor.submit(MakeJob(plan, full=underway.full))
        else:
            self._made(underway, artifact)

    def finish(self, plan: CompressionPlan) -> TrialRecord:
        """Waits until a plan that was begun is evaluated, and returns what came of it.

        Of one whose model has gone it returns what is known.

        Raises:
            DeviceError: the last device is gone, or it can take no model at all.
        """
        while plan.key in self._underway:
            self._take(self._place.executor.next_done())
        return self._settled.get(plan.key) or self._place.journal.content.trials[plan.key]

    def prefer(self, model_sha256: str | None) -> None:
        """Says which network is the best so far: candidates to come are measured beside it."""
        self._measurer.prefer(model_sha256)

    def meet(self, target: str, model_sha256s: tuple[str, ...]) -> bool:
        """Measures networks of the run in one session, unless they have met already.

        A device that has left, or can't hold them at once, costs no more than a note.

        Returns:
            Whether there was something to measure.
        """
        job = self._measurer.meeting(target, model_sha256s)
        while job is not None and self._measurer.is_beside(job):
            self._take(self._place.executor.next_done())
        return job is not None

    def catch_up(self, records: Iterable[TrialRecord]) -> int:
        """Has the targets at hand measure networks that they lack; returns how many plans.

        Those whose models have gone are left out, and their number is said.
        """
        behind = [record for record in records if self._measurer.missing(record)]
        begun = [record for record in behind if self.begin(record.plan)]
        for record in begun:
            self.finish(record.plan)
        gone = len(behind) - len(begun)
        if gone:
            self._place.note(
                "not measured on every device, for the model has gone from the run's folder"
                f" (adadeep runs prune): {gone} {'plan' if gone == 1 else 'plans'}. To try them"
                " there use another folder (-o)."
            )
        return len(begun)

    def _artifact(
        self, plan: CompressionPlan, record: TrialRecord | None, full: bool = False
    ) -> Artifact | None:
        """The network of a plan's record, else of this session's basis; None if not whole."""
        basis = self._place.basis
        key = record.artifact if record and record.artifact else content_key(basis, plan, full)
        artifact = self._place.journal.content.artifacts.get(key)
        whole = artifact and self._place.store.get(artifact.model_sha256) is not None
        return artifact if whole else None

    def _taken(self, plan: CompressionPlan, full: bool = False) -> Artifact | None:
        """The network of a new plan as another run made it; None if none did.

        The initial one is always made here: by it other runs are judged, and it costs no training.
        """
        if plan == CompressionPlan():
            return None
        artifact = self._place.elsewhere(content_key(self._place.basis, plan, full), plan)
        if artifact is not None:
            self._place.journal.add(artifact)
        return artifact

    def _take(self, done: Done) -> None:
        job = done.job
        if isinstance(job, MeasureJob) and self._measurer.is_beside(job):
            self._measurer.take_beside(job, done)
            return
        underway = self._underway[job.plan.key]
        if isinstance(job, MakeJob):
            underway.making_s += done.seconds
            self._take_made(underway, done)
        else:
            underway.measuring_s += done.seconds
            self._measurer.take(underway, job, done)
            self._settle(underway)

    def _take_made(self, underway: Underway, done: Done) -> None:
        if isinstance(done.error, TechniqueNotApplicable | ConversionError):
            underway.reason = text_of(done.error)
            self._settle(underway)
            return
        if done.error is not None:
            raise done.error
        made = done.result
        assert isinstance(made, MadeNetwork)
        artifact = Artifact(
            key=content_key(self._place.basis, underway.plan, underway.full),
            plan_key=underway.plan.key,
            model_sha256=made.model_sha256,
            file_bytes=made.file_bytes,
            accuracy=made.scores.quality,
            scores=made.scores,
            spec=made.spec,
            network_sha256=made.network_sha256,
            taken_from=self._place.initial_from if underway.plan == CompressionPlan() else None,
        )
        self._place.journal.add(artifact)
        self._made(underway, artifact)

    def _made(self, underway: Underway, artifact: Artifact) -> None:
        """There is a network: what is known of it is taken, the rest is to be measured."""
        underway.artifact = artifact
        underway.missing = self._measurer.missing(underway.record())
        for key in sorted(underway.missing):
            self._measurer.measure(underway, artifact, key)
        self._settle(underway)

    def _settle(self, underway: Underway) -> None:
        """Journals a plan of which nothing more is to come, but for a failed initial network.

        That one, if it can be used nowhere, is tried again next time.
        """
        if not underway.is_done:
            return
        del self._underway[underway.plan.key]
        record = underway.record()
        if isinstance(record, Remade):
            self._place.journal.add(record)
            return
        self._settled[record.plan.key] = record
        has_unit = any(key in self._place.journal.content.units for key in record.failures)
        is_usable = record.reason is None and bool(
            record.measurements or not record.failures or has_unit
        )
        if record.plan != CompressionPlan() or is_usable:
            self._place.journal.add(record)
