"""What a search leaves for its user and for `adadeep deploy`, in the run's folder.

- `best.tflite`, `best.keras`: the winner on the first device; `best-TARGET.tflite` and
  `best-TARGET.keras` that on each further one, where it is another.
- `initial.tflite`: the initial network.
- `plan.json`: for each device the winning plan, what both networks cost there and how each number
  was obtained.
- `samples.npz`: real inputs and the outputs that the host computed for them: `inputs` (n, height,
  width, channels) float32, `labels` (n,), `best_outputs` and `initial_outputs` (n, classes);
  of a network with several inputs or outputs the further ones are `inputs_2` and so on.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from adadeep import __version__
from adadeep.core.errors import ConfigError
from adadeep.core.files import write_atomic, write_through
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.reward import Reward
from adadeep.core.search import GoalScore, mean_reward
from adadeep.core.verdict import Verdict, Verdicts
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.records import HeldTest, Session, Unit
from adadeep.storage.run_folder import INITIAL_MODEL, PLAN, PLAN_VERSION, SAMPLES, best_file
from adadeep.study.episodes import AUTO
from adadeep.study.finalists import Conclusion, Rival
from adadeep.study.looser import Looser, looser_as_json, looser_limits
from adadeep.study.results import StudyResult
from adadeep.study.trials import TargetScorer

SAMPLE_COUNT = 32
# Of a trial, whatever the device.
_SHARED = (
    "label", "key", "plan", "accuracy", "model_sha256", "taken_from", "as_searched", "seconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TargetOutcome:
    """What a search came to on one device.

    Attributes:
        scorer: of the target.
        result: the trials there.
        conclusion: the winner, and what can be said of each trial.
        file: of the winner, in the run's folder.
        test_accuracy: of the winner, on the test data.
        believed_accuracy: of the winner, as the sampler believes it; None if it can't tell.
    """

    scorer: TargetScorer
    result: StudyResult
    conclusion: Conclusion
    file: str
    test_accuracy: float
    believed_accuracy: float | None = None

    @property
    def title(self) -> str:
        """Of the device."""
        return self.scorer.target.target.device_title

    @property
    def looser(self) -> tuple[Looser, ...]:
        """What looser limits would give, from what was tried."""
        found = self.conclusion
        return looser_limits(self.result, self.scorer.demand, found.winner, found.refuted)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished search.

    Attributes:
        task: its name.
        session: who chose the plans.
        targets: at least one, in the order of the user's devices.
        initial_test_accuracy: of the initial network, on the test data.
        episodes: how many plans were to be asked for in the folder; None: while it was worth it.
        asked: how many were.
        stop: why no other was; None where so many were wanted.
        folder: of the run.
        left: titles of devices that left before the end.
        scale: what accuracies mean.
        units: by target key, what latencies are multiples of, and how many times as long it took
            when it was measured last.
    """

    task: str
    session: Session
    targets: tuple[TargetOutcome, ...]
    initial_test_accuracy: float
    episodes: int | None
    asked: int
    stop: str | None
    folder: Path
    left: tuple[str, ...] = ()
    scale: Scale = ACCURACY_SCALE
    units: Mapping[str, tuple[Unit, float]] = field(default_factory=dict)

    @property
    def first(self) -> TargetOutcome:
        """Of the first device."""
        return self.targets[0]

    @property
    def is_acceptable(self) -> bool:
        """Whether it is so on every device."""
        return all(target.conclusion.is_acceptable for target in self.targets)


def winner_files(conclusions: Sequence[Conclusion], keys: Sequence[str]) -> list[str]:
    """The file of each target's winner; winners that are the same network share one."""
    first = conclusions[0].winner.trial.model_sha256
    return [
        best_file() if conclusion.winner.trial.model_sha256 == first else best_file(key)
        for conclusion, key in zip(conclusions, keys, strict=True)
    ]


def model_of(scored: GoalScore, store: ArtifactStore) -> Path:
    """The .tflite of a trial, whole.

    Raises:
        ConfigError: it is missing in the run's folder.
    """
    sha256 = scored.trial.model_sha256 or ""
    if store.get(sha256) is None:
        raise ConfigError(
            f"the model of {scored.trial.plan.label} is missing in the run's folder, or was"
            " changed; begin anew in another folder (-o)."
        )
    return store.path(sha256)


def _verdict_as_json(verdict: Verdict) -> dict[str, Any]:
    """One limit for JSON."""
    return {**asdict(verdict), "state": str(verdict.state), "is_within": verdict.is_within}


def verdicts_as_json(verdicts: Verdicts | None) -> dict[str, Any] | None:
    """All limits for JSON; None for a failed trial."""
    if verdicts is None:
        return None
    return {name: _verdict_as_json(verdict) for name, verdict in verdicts}


def scored_as_json(scored: GoalScore, verdicts: Verdicts | None) -> dict[str, Any]:
    """A trial on one target for plan.json and for `--json`: keys as in docs/json.md."""
    trial = scored.trial
    return {
        "label": trial.plan.label,
        "key": trial.plan.key,
        "plan": json.loads(trial.plan.canonical_json),
        "state": str(trial.state),
        "reason": trial.reason,
        "accuracy": trial.accuracy,
        "cost": asdict(trial.cost) if trial.cost else None,
        "reward": _reward(scored.reward),
        "verdicts": verdicts_as_json(verdicts),
        "model_sha256": trial.model_sha256,
        "taken_from": trial.taken_from,
        "as_searched": asdict(trial.as_searched) if trial.as_searched else None,
        "session": trial.session,
        "seconds": trial.seconds,
    }


def trials_as_json(outcome: Outcome) -> list[dict[str, Any]]:
    """Every plan with what came of it on each device: `on`, by target key."""
    trials = []
    for place, first in enumerate(outcome.first.result.trials):
        found = [(on, on.result.trials[place]) for on in outcome.targets]
        on = {
            target.scorer.target.key: scored_as_json(
                scored, target.conclusion.verdicts.get(scored.trial.plan.key)
            )
            for target, scored in found
        }
        reward = mean_reward([scored.reward for _, scored in found])
        shared = {name: on[outcome.first.scorer.target.key][name] for name in _SHARED}
        own = {key: {n: v for n, v in one.items() if n not in _SHARED} for key, one in on.items()}
        trials.append({**shared, "reward": _reward(reward), "on": own})
        assert first.trial.plan == found[-1][1].trial.plan
    return trials


def outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    """The content of plan.json."""
    session = outcome.session
    return {
        "task": outcome.task,
        "seed": session.seed,
        "sampler": session.sampler,
        "preset": session.preset,
        "look_ahead": session.look_ahead,
        "plugins": session.plugins,
        "meets_demand": all(target.conclusion.meets_demand for target in outcome.targets),
        "acceptable": outcome.is_acceptable,
        "episodes": AUTO if outcome.episodes is None else outcome.episodes,
        "episodes_asked": outcome.asked,
        "stop": outcome.stop,
        "plans_tried": len(outcome.first.result.tried),
        "finalists": [finalist_as_json(test) for test in outcome.first.conclusion.tested],
        "left": list(outcome.left),
        "targets": [_target(outcome, target) for target in outcome.targets],
    }


def _target(outcome: Outcome, on: TargetOutcome) -> dict[str, Any]:
    record, conclusion = on.scorer.target, on.conclusion
    best, initial = (
        scored_as_json(scored, conclusion.verdicts.get(scored.trial.plan.key))
        for scored in (conclusion.winner, on.result.baseline)
    )
    return {
        "key": record.key,
        **asdict(record.target),
        "provenances": record.provenances,
        "demand": asdict(on.scorer.demand),
        "limits": asdict(on.result.limits),
        "meets_demand": conclusion.meets_demand,
        "acceptable": conclusion.is_acceptable,
        "file": on.file,
        "metric": asdict(outcome.scale),
        "best": {**best, "test_accuracy": on.test_accuracy},
        "as_good_as": rivals_as_json(conclusion.rivals),
        "unit": unit_as_json(*outcome.units.get(record.key, (None, 1.0))),
        "believed_accuracy": on.believed_accuracy,
        "initial": {**initial, "test_accuracy": outcome.initial_test_accuracy},
        "looser": looser_as_json(on.looser),
    }


def _reward(reward: Reward) -> dict[str, Any]:
    return {
        "gain": reward.gain,
        "satisfaction": reward.satisfaction,
        "total": reward.total,
        "feasible": reward.is_feasible,
    }


def rivals_as_json(rivals: Sequence[Rival]) -> list[dict[str, Any]]:
    """Plans that are as good as the winner, for JSON."""
    return [
        {
            "key": rival.scored.trial.plan.key,
            "label": rival.scored.trial.plan.label,
            "latency_ratio": asdict(rival.ratio),
        }
        for rival in rivals
    ]


def unit_as_json(unit: Unit | None, drift: float) -> dict[str, Any] | None:
    """What latencies are multiples of, for JSON."""
    if unit is None:
        return None
    return {
        "model_sha256": unit.model_sha256,
        **asdict(unit.latency),
        "basis": unit.basis,
        "reason": unit.reason,
        "drift": drift,
    }


def finalist_as_json(test: HeldTest) -> dict[str, Any]:
    """A test on held-back samples for JSON."""
    return {
        "number": test.number,
        "key": test.plan_key,
        "samples": test.scores.count,
        "accuracy": test.scores.quality,
        "tail": test.tail,
    }


def write_outcome(outcome: Outcome, store: ArtifactStore, samples: bytes, network: Path) -> None:
    """Writes the files, each whole or not at all; plan.json last.

    Args:
        outcome: the search.
        store: of the run's models.
        samples: content of samples.npz.
        network: the initial one's .keras, which is the winner's where nothing was compressed.

    Raises:
        ConfigError: the folder can't be written, or a model is missing.
    """
    head = {
        "schema": f"adadeep.plan/{PLAN_VERSION}",
        "schema_version": PLAN_VERSION,
        "adadeep_version": __version__,
    }
    text = json.dumps({**head, **outcome_as_json(outcome)}, indent=2)
    folder = outcome.folder
    for target in outcome.targets:
        model = model_of(target.conclusion.winner, store)
        _copy(model, folder / target.file)
        keras = store.path(target.conclusion.winner.trial.model_sha256 or "", "keras")
        source = keras if keras.exists() else network
        _copy(source, (folder / target.file).with_suffix(".keras"))
    _copy(model_of(outcome.first.result.baseline, store), folder / INITIAL_MODEL)
    write_atomic(folder / SAMPLES, samples)
    write_atomic(folder / PLAN, text.encode() + b"\n")


def _copy(source: Path, target: Path) -> None:
    write_through(target, lambda path: shutil.copyfile(source, path))
