"""The records of a run's journal: one JSON object a line, `kind` first.

- ``header``: schema_version, who wrote it, the study's id, what it is a study of.
- ``target``: a device and how models are measured there; where its costs come from.
- ``session``: who chose plans from here on, and for what demands.
- ``ask``: a plan was asked for; asks are told in their order.
- ``told``: what of a plan the sampler heard then.
- ``artifact``: a trained and converted network, kept by hash in `models/`.
- ``measured``: a session of measuring on one target, raw samples of its models in full.
- ``unit``: what latencies of a target are multiples of; a later one says what it took then.
- ``trial``: what came of a plan; a later one of the same plan replaces it.
- ``remade``: the same of a finalist, made again by the full recipe; likewise.
- ``held_test``: the scores of a finalist on the held-back samples.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

from adadeep.core.cost_source import QUANTITIES
from adadeep.core.demand import UserDemand
from adadeep.core.device import DeviceFacts
from adadeep.core.errors import FormatError
from adadeep.core.layers import ModelSpec
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.own_task import OwnTask
from adadeep.core.plan import CompressionPlan
from adadeep.core.reader import convert, require_finite, require_hex, require_range, why
from adadeep.core.scores import SampleScores
from adadeep.core.session import MeasuredTogether
from adadeep.core.target import Target
from adadeep.storage.trial_records import KEY_DIGITS as KEY_DIGITS
from adadeep.storage.trial_records import HeldTest as HeldTest
from adadeep.storage.trial_records import Remade as Remade
from adadeep.storage.trial_records import TrialRecord as TrialRecord
from adadeep.storage.units import Unit as Unit

_HUGE = 1e18
_LONGEST_NAME = 255  # of a folder
_TOLD_ELSEWHERE = ("keep", "only", "own")  # of a session: by its space, by the study's header


def content_key(basis: str, plan: CompressionPlan, full: bool = False) -> str:
    """The key of the network that a plan makes: 16 hex digits.

    Args:
        basis: hash of all else: initial weights, data, recipe, seed, version of the training code.
        plan: what is made of the initial network.
        full: whether it is trained by the full recipe, not by the short one of a search.
    """
    text = f"{basis} {'full ' if full else ''}{plan.canonical_json}"
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_DIGITS]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A network, trained and converted.

    Attributes:
        key: `content_key`.
        plan_key: CompressionPlan.key.
        model_sha256: of the .tflite in the run's `models/`.
        file_bytes: its size.
        accuracy: the quality on the validation data, by the study's metric.
        scores: of the validation samples; of right and wrong ones bits.
        spec: what it is, in its precision: costs can be computed again without Keras.
        network_sha256: of its .keras beside that; None where it has none of its own, and in runs
            of before, which did not note it.
        taken_from: name of the folder of the run that made it; None where this one did. Of the
            initial network: that trained it.
    """

    key: str
    plan_key: str
    model_sha256: str
    file_bytes: int
    accuracy: float
    scores: SampleScores
    spec: ModelSpec
    network_sha256: str | None = None
    taken_from: str | None = None

    def __post_init__(self) -> None:
        require_hex("key", KEY_DIGITS, self.key)
        require_hex("plan_key", 16, self.plan_key)
        require_hex("a network's hash", 64, self.model_sha256, self.network_sha256)
        if self.taken_from is not None and not 1 <= len(self.taken_from) <= _LONGEST_NAME:
            raise ValueError("taken_from is no folder's name")
        require_finite("accuracy", self.accuracy)
        require_range("file_bytes", 0, _HUGE, self.file_bytes)


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """A target of the study.

    Attributes:
        target: the device and how models are measured there.
        facts: of the device.
        sources: quantity -> name of the cost source that gives it here, always the same.
        provenances: quantity -> its provenance, for readers without the source.
    """

    target: Target
    facts: DeviceFacts
    sources: dict[str, str]
    provenances: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if set(self.sources) != set(QUANTITIES):
            raise ValueError(f"sources are not those of {', '.join(QUANTITIES)}")

    @property
    def key(self) -> str:
        """Of the target."""
        return self.target.key


@dataclass(frozen=True, slots=True)
class Session:
    """Who chose plans from here on; the same one goes on where it was.

    Attributes:
        sampler: its name.
        preset: its hyper-parameters.
        seed: of its randomness.
        look_ahead: how many asks may be open.
        demands: by target key.
        space: hash of what there was to decide.
        adadeep_version: of this session.
        plugins: "kind name" -> distribution and version of what was used of other packages.
        own_plans: the user's, which were asked for first.
        keep: layers that were to stay as they are; `space` tells whether that is another session.
        only: techniques and precisions that could be chosen, empty for all; likewise.
        own: what the user named for network and data, where they lay then; None of a task. The
            header tells whether that is another study.
    """

    sampler: str
    preset: str
    seed: int
    look_ahead: int
    demands: dict[str, UserDemand]
    space: str = ""
    adadeep_version: str = ""
    plugins: dict[str, str] = field(default_factory=dict)
    own_plans: tuple[CompressionPlan, ...] = ()
    keep: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    own: OwnTask | None = None

    def goes_on(self, other: Session) -> bool:
        """Whether the other one, later, chooses as this one would have."""
        told = {name: getattr(self, name) for name in _TOLD_ELSEWHERE}
        version = self.adadeep_version
        return replace(other, adadeep_version=version, plugins=self.plugins, **told) == self


@dataclass(frozen=True, slots=True)
class Ask:
    """A plan was asked for.

    Attributes:
        number: from 1, in the order of asking.
        plan: what is to be tried.
    """

    number: int
    plan: CompressionPlan

    def __post_init__(self) -> None:
        require_range("number", 1, 10_000_000, self.number)


@dataclass(frozen=True, slots=True)
class Told:
    """What a sampler heard of a plan: later more may be known of it, on more devices.

    What an earlier session found is heard on all targets where there is no such record of it.

    Attributes:
        number: of the ask; 0 of what was known before the session.
        targets: keys of those whose costs it heard; none: the plan was not measured anywhere yet.
        plan_key: of what was known before the session; None of an ask.
    """

    number: int
    targets: tuple[str, ...]
    plan_key: str | None = None

    def __post_init__(self) -> None:
        require_range("number", 0, 10_000_000, self.number)
        require_hex("a target's key", 8, *self.targets)
        require_hex("plan_key", 16, self.plan_key)
        if (self.number == 0) != (self.plan_key is not None):
            raise ValueError("number 0, and no other, is of a plan with its key")


Entry = (
    TargetRecord
    | Session
    | Ask
    | Told
    | Artifact
    | MeasuredTogether
    | Unit
    | TrialRecord
    | Remade
    | HeldTest
)

KINDS: dict[str, type[Entry]] = {
    "target": TargetRecord, "session": Session, "ask": Ask, "told": Told, "artifact": Artifact,
    "measured": MeasuredTogether, "unit": Unit, "trial": TrialRecord, "remade": Remade,
    "held_test": HeldTest,
}  # fmt: skip
KIND_OF: dict[type[Any], str] = {record: kind for kind, record in KINDS.items()}


@dataclass(slots=True)
class SessionAsks:
    """A session and what it asked for.

    Attributes:
        session: who chose the plans.
        trials_before: how many trials there were before it.
        asks: in their order.
        told: by the number of an ask, or the plan key of what was known before the session.
    """

    session: Session
    trials_before: int
    asks: list[Ask] = field(default_factory=list)
    told: dict[int | str, Told] = field(default_factory=dict)


@dataclass(slots=True)
class JournalContent:
    """All that a journal holds.

    Attributes:
        id: the study's name on devices: 8 hex digits; empty where nothing was recorded.
        study: what it is a study of, out of the header; empty while there is no header.
        targets: by key.
        sessions: in their order.
        artifacts: by content key.
        measured: sessions of measuring, by their ids, in the order of the journal.
        units: by target key.
        units_later: by target key, the last time that the unit was measured again.
        trials: by plan key, in the order of their first record.
        remade: what came of making plans again by the full recipe, by plan key.
        held_tests: by plan key.
        ended_with: plan keys of the finalists that were made again or tested since plans were
            last chosen or tried, by kind of record: what the end of a search has spent.
        derived: what was made of records that never change, and takes time to make.
    """

    id: str = ""
    study: dict[str, Any] = field(default_factory=dict)
    targets: dict[str, TargetRecord] = field(default_factory=dict)
    sessions: list[SessionAsks] = field(default_factory=list)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    measured: dict[str, MeasuredTogether] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    units_later: dict[str, Unit] = field(default_factory=dict)
    trials: dict[str, TrialRecord] = field(default_factory=dict)
    remade: dict[str, Remade] = field(default_factory=dict)
    held_tests: dict[str, HeldTest] = field(default_factory=dict)
    ended_with: dict[type[Remade | HeldTest], set[str]] = field(default_factory=dict)
    derived: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def take(self, value: Entry) -> None:
        """Adds what a record says.

        Raises:
            FormatError: it has no place here, or is of another metric than the study's.
        """
        try:
            _require_qualities(value, self.scale)
        except ValueError as error:
            raise FormatError(f"{KIND_OF[type(value)]}: {why(error)}.") from error
        self._spend(value)
        if isinstance(value, Session):
            self.sessions.append(SessionAsks(value, len(self.trials)))
        elif isinstance(value, Ask | Told):
            if not self.sessions:
                raise FormatError("an ask or what was told of no session.")
            session = self.sessions[-1]
            if isinstance(value, Ask):
                session.asks.append(value)
            else:
                session.told[value.plan_key or value.number] = value
        else:
            place, key = self._place(value)
            if place is self.measured and key in place:
                raise FormatError("a session of measuring is there twice; restore a copy.")
            place[key] = value
            if isinstance(value, MeasuredTogether):
                self.sessions_on(value.measurements[0].target.key).append(value)

    def _spend(self, value: Entry) -> None:
        if isinstance(value, Remade):
            self.ended_with.setdefault(Remade, set()).add(value.plan.key)
        elif isinstance(value, HeldTest) and value.number:
            self.ended_with.setdefault(HeldTest, set()).add(value.plan_key)
        elif isinstance(value, Session | Ask | TrialRecord):
            self.ended_with.clear()

    def _place(
        self, value: TargetRecord | Artifact | MeasuredTogether | Unit | TrialRecord | HeldTest
    ) -> tuple[dict[str, Any], str]:
        """Where a record is kept, and its key there."""
        if isinstance(value, TargetRecord):
            return self.targets, value.key
        if isinstance(value, Artifact):
            return self.artifacts, value.key
        if isinstance(value, MeasuredTogether):
            return self.measured, value.id
        if isinstance(value, Unit):
            return (self.units_later if value.target in self.units else self.units), value.target
        if isinstance(value, Remade):
            return self.remade, value.plan.key
        if isinstance(value, TrialRecord):
            return self.trials, value.plan.key
        return self.held_tests, value.plan_key

    @property
    def scale(self) -> Scale:
        """What the study's qualities and scores mean.

        Raises:
            FormatError: the header says nonsense of it.
        """
        about = self.study.get("metric")
        return ACCURACY_SCALE if about is None else convert(about, Scale, "header, metric")

    def sessions_on(self, target: str) -> list[MeasuredTogether]:
        """The sessions of measuring on a target, in the order of the journal."""
        found: list[MeasuredTogether] = self.derived.setdefault(("on", target), [])
        return found

    @property
    def own(self) -> OwnTask | None:
        """What the last session named for network and data; None of a task."""
        return self.sessions[-1].session.own if self.sessions else None

    @property
    def asked(self) -> int:
        """How many plans were asked for, in all sessions."""
        return sum(len(session.asks) for session in self.sessions)

    @property
    def plugins(self) -> dict[str, str]:
        """What of other packages took part, in any session; see `Session.plugins`."""
        return {n: origin for s in self.sessions for n, origin in s.session.plugins.items()}

    def artifact_of(self, plan_key: str) -> Artifact | None:
        """The network of a plan's trial, as the search made it; None if it has none."""
        trial = self.trials.get(plan_key)
        return self.artifacts.get(trial.artifact) if trial and trial.artifact else None

    def remade_artifact(self, plan_key: str) -> Artifact | None:
        """The network that the full recipe made of a plan; None if there is none."""
        trial = self.remade.get(plan_key)
        return self.artifacts.get(trial.artifact) if trial and trial.artifact else None


def _require_qualities(value: Entry, scale: Scale) -> None:
    if isinstance(value, Artifact):
        scale.require("accuracy", value.accuracy)
    if isinstance(value, Artifact | HeldTest):
        value.scores.require(scale)
