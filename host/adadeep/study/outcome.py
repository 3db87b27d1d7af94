"""What a search leaves for its user and for `adadeep deploy`, in the run's folder.

- `best.tflite`, `initial.tflite`: the winner and the initial network.
- `plan.json`: the winning plan, what both networks cost and how each number was obtained.
- `samples.npz`: real inputs and the outputs that the host computed for them: `inputs` (n, height,
  width, channels) float32, `labels` (n,), `best_outputs` and `initial_outputs` (n, classes).
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep import __version__
from adadeep.core.errors import ConfigError
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.verdict import Verdict, Verdicts, VerdictState
from adadeep.storage.artifacts import ArtifactStore, write_atomic
from adadeep.storage.journal import HeldTest
from adadeep.storage.run_folder import BEST_MODEL, INITIAL_MODEL, PLAN, SAMPLES, SCHEMA_VERSION
from adadeep.study.finalists import Conclusion
from adadeep.study.results import ScoredTrial, StudyResult
from adadeep.study.verdicts import tail_of

SAMPLE_COUNT = 32

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Identity:
    """Of what search an outcome is.

    Attributes:
        task: its name.
        device_title: for people.
        device_fingerprint: DeviceFacts.fingerprint.
        seed: of the search.
        sampler: that chose the plans.
        preset: its hyper-parameters.
        metric: what accuracies mean.
    """

    task: str
    device_title: str
    device_fingerprint: str
    seed: int
    sampler: str
    preset: str
    metric: Scale = ACCURACY_SCALE


@dataclass(frozen=True, slots=True)
class FinalAccuracies:
    """On the test data, of the .tflite files themselves.

    Attributes:
        best: of the winner.
        initial: of the initial network.
    """

    best: float
    initial: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished search.

    Attributes:
        identity: of what search.
        result: the trials.
        conclusion: the winner, and what can be said of each trial.
        test: accuracies on the test data.
        folder: of the run.
    """

    identity: Identity
    result: StudyResult
    conclusion: Conclusion
    test: FinalAccuracies
    folder: Path

    @property
    def meets_demand(self) -> bool:
        """Whether the winner is known to keep every limit."""
        return self.conclusion.of_winner.state is VerdictState.MET

    @property
    def is_acceptable(self) -> bool:
        """Whether no limit is known to be broken and every estimate is within."""
        return self.conclusion.is_acceptable


def model_of(scored: ScoredTrial, store: ArtifactStore) -> bytes:
    """The .tflite of a trial.

    Raises:
        ConfigError: it is missing in the run's folder.
    """
    model = store.get(scored.trial.model_sha256 or "")
    if model is None:
        raise ConfigError(
            f"the model of {scored.trial.plan.label} is missing in the run's folder, or was"
            " changed; begin anew in another folder (-o)."
        )
    return model


def _verdict_as_json(verdict: Verdict) -> dict[str, Any]:
    """One limit for JSON."""
    return {**asdict(verdict), "state": str(verdict.state), "is_within": verdict.is_within}


def verdicts_as_json(verdicts: Verdicts | None) -> dict[str, Any] | None:
    """All limits for JSON; None for a failed trial."""
    if verdicts is None:
        return None
    return {name: _verdict_as_json(verdict) for name, verdict in verdicts}


def scored_as_json(scored: ScoredTrial, verdicts: Verdicts | None) -> dict[str, Any]:
    """A trial for plan.json and for `--json`: keys as in docs/json.md."""
    trial = scored.trial
    return {
        "label": trial.plan.label,
        "key": trial.plan.key,
        "plan": json.loads(trial.plan.canonical_json),
        "state": str(trial.state),
        "reason": trial.reason,
        "accuracy": trial.accuracy,
        "cost": asdict(trial.cost) if trial.cost else None,
        "reward": {
            "gain": scored.reward.gain,
            "satisfaction": scored.reward.satisfaction,
            "total": scored.reward.total,
            "feasible": scored.reward.is_feasible,
        },
        "verdicts": verdicts_as_json(verdicts),
        "model_sha256": trial.model_sha256,
        "measurement_key": trial.measurement_key,
        "seconds": trial.seconds,
    }


def outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    """The content of plan.json."""
    result, conclusion = outcome.result, outcome.conclusion
    best, initial = (
        scored_as_json(scored, conclusion.verdicts.get(scored.trial.plan.key))
        for scored in (conclusion.winner, result.baseline)
    )
    return {
        **asdict(outcome.identity),
        "meets_demand": outcome.meets_demand,
        "acceptable": outcome.is_acceptable,
        "limits": asdict(result.limits),
        "finalists": [_finalist(test) for test in conclusion.tested],
        "episodes": result.episodes,
        "episodes_asked": result.asked,
        "plans_tried": len(result.trials),
        "best": {**best, "test_accuracy": outcome.test.best},
        "initial": {**initial, "test_accuracy": outcome.test.initial},
    }


def _finalist(test: HeldTest) -> dict[str, Any]:
    return {
        "number": test.number,
        "key": test.plan_key,
        "samples": test.correct.count,
        "accuracy": test.correct.mean,
        "tail": tail_of(test.number),
    }


def write_outcome(
    outcome: Outcome, models: tuple[bytes, bytes], samples: dict[str, Array]
) -> None:
    """Writes the four files, each whole or not at all.

    Args:
        outcome: the search.
        models: the winner and the initial network.
        samples: members of samples.npz.

    Raises:
        ConfigError: the folder can't be written.
    """
    head = {
        "schema": "adadeep.plan/1",
        "schema_version": SCHEMA_VERSION,
        "adadeep_version": __version__,
    }
    text = json.dumps({**head, **outcome_as_json(outcome)}, indent=2)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **samples)
    folder = outcome.folder
    write_atomic(folder / BEST_MODEL, models[0])
    write_atomic(folder / INITIAL_MODEL, models[1])
    write_atomic(folder / SAMPLES, buffer.getvalue())
    write_atomic(folder / PLAN, text.encode() + b"\n")
