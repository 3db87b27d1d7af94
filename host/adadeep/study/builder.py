"""The composition root: from a StudyConfig and a device to a finished search."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.convert.verify import run_tflite
from adadeep.core.clock import Deadline
from adadeep.core.device import DeviceFacts
from adadeep.core.errors import Interrupted, TransientDeviceError
from adadeep.core.protocols import Transport
from adadeep.core.scores import SampleScores, judged
from adadeep.devices.facts import gather_facts
from adadeep.measure.meter import LatencyMeter, open_meter
from adadeep.search.registry import SAMPLERS
from adadeep.search.space import build_space
from adadeep.storage.artifacts import MODELS, ArtifactStore
from adadeep.storage.journal import Journal
from adadeep.storage.native_log import native_log
from adadeep.storage.scratch import give_keras_a_home, scratch_folder
from adadeep.study.config import StudyConfig
from adadeep.study.evaluate import PlanEvaluator
from adadeep.study.finalists import Conclusion, conclude
from adadeep.study.outcome import (
    SAMPLE_COUNT,
    Array,
    FinalAccuracies,
    Identity,
    Outcome,
    model_of,
    write_outcome,
)
from adadeep.study.results import ScoredTrial, StudyResult
from adadeep.study.study import Study, StudyObserver
from adadeep.study.verdicts import Judge
from adadeep.training.registry import TASKS
from adadeep.training.tasks import LoadedTask, load_task

if TYPE_CHECKING:
    from adadeep.study.maker import KerasMaker

_READY_S = 180.0


@dataclass(frozen=True, slots=True)
class _Bench:
    """What must be in order before anything long begins."""

    folder: Path
    journal: Journal
    meter: LatencyMeter
    until: Deadline | None


def search(config: StudyConfig, transport: Transport, observer: StudyObserver) -> Outcome:
    """Runs a search, or goes on with the one in its folder, and writes its outcome there.

    The settings, the folder and the device are checked before anything is trained.

    Raises:
        ConfigError: a setting is wrong, the folder can't be used or holds another search.
        DeviceError: the device can't measure, or went away; the same call goes on later.
        Interrupted: Ctrl-C; the same call goes on later.
    """
    config.check(TASKS)
    give_keras_a_home()
    with _bench(config, transport, observer) as bench:
        try:
            with scratch_folder(), native_log(bench.folder):
                return _search(config, bench, observer)
        except KeyboardInterrupt:
            raise Interrupted(_resumable(bench)) from None
        except TransientDeviceError as error:
            raise TransientDeviceError(f"{error} {_resumable(bench)}") from error


def default_folder(task: str, facts: DeviceFacts) -> Path:
    """runs/<task>-<device>, below the current folder."""
    name = "local" if facts.transport == "local" else facts.title
    return Path("runs") / f"{task}-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}"


@contextlib.contextmanager
def _bench(config: StudyConfig, transport: Transport, observer: StudyObserver) -> Iterator[_Bench]:
    deadline = Deadline.after(_READY_S)
    until = None if config.max_time_s is None else Deadline.after(config.max_time_s)
    with contextlib.ExitStack() as stack:
        known = tuple(TECHNIQUES)
        given = config.folder
        journal = stack.enter_context(Journal.open(given, known)) if given else None
        observer.stage("getting the device ready")
        facts = gather_facts(transport, deadline)[0]
        folder = config.folder or default_folder(config.task, facts)
        journal = journal or stack.enter_context(Journal.open(folder, known))
        study = journal.content.id
        meter = stack.enter_context(
            open_meter(transport, deadline, config.settings, facts, study, observer.note)
        )
        journal.begin(config.header(facts.title, facts.fingerprint, meter.identity))
        yield _Bench(folder, journal, meter, until)


def _search(config: StudyConfig, bench: _Bench, observer: StudyObserver) -> Outcome:
    observer.stage(f"loading {config.task}")
    from adadeep.study.maker import INITIAL, KerasMaker  # TensorFlow: seconds

    task = load_task(config.task)
    store = ArtifactStore(bench.folder / MODELS)
    goes_on = bool(bench.journal.content.artifacts)  # else what is there is of another search
    path = bench.folder / INITIAL
    maker = KerasMaker(task, path, config.seed, observer.stage, goes_on)
    study = _study(config, bench, maker, store, observer)
    result = study.run(observer)
    return _conclude(config, bench, _Ending(task, store, observer), result)


def _study(
    config: StudyConfig,
    bench: _Bench,
    maker: KerasMaker,
    store: ArtifactStore,
    observer: StudyObserver,
) -> Study:
    techniques = [TECHNIQUES.get(name) for name in TECHNIQUES]
    space = build_space(maker.spec, techniques, tuple(PRECISIONS.usable()))
    make_sampler = SAMPLERS.get(config.sampler)
    return Study(
        demand=config.demand,
        episodes=config.episodes,
        sampler=make_sampler(space, config.demand, config.seed, config.preset),
        evaluator=PlanEvaluator(maker, bench.meter, bench.journal, store, observer.stage),
        journal=bench.journal,
        until=bench.until,
    )


@dataclass(frozen=True, slots=True)
class _Ending:
    """What is needed once the last plan was tried."""

    task: LoadedTask
    store: ArtifactStore
    observer: StudyObserver


def _conclude(config: StudyConfig, bench: _Bench, ending: _Ending, result: StudyResult) -> Outcome:
    data, store = ending.task.data, ending.store
    conclusion = _tested(config, bench, ending, result)
    models = model_of(conclusion.winner, store), model_of(result.baseline, store)
    ending.observer.stage("running the winner on the test data, to report it")
    best, initial = (run_tflite(model, data.x_test) for model in models)
    meter, metric = bench.meter, ending.task.metric
    test = FinalAccuracies(
        *(judged(metric, outputs, data.y_test).mean for outputs in (best, initial))
    )
    identity = Identity(
        task=config.task,
        device_title=meter.device_title,
        device_fingerprint=meter.device_fingerprint,
        seed=config.seed,
        sampler=config.sampler,
        preset=config.preset,
        metric=bench.journal.content.scale,
    )
    outcome = Outcome(identity, result, conclusion, test, bench.folder)
    samples: dict[str, Array] = {
        "inputs": data.x_test[:SAMPLE_COUNT],
        "labels": data.y_test[:SAMPLE_COUNT],
        "best_outputs": best[:SAMPLE_COUNT],
        "initial_outputs": initial[:SAMPLE_COUNT],
    }
    write_outcome(outcome, models, samples)
    return outcome


def _tested(
    config: StudyConfig, bench: _Bench, ending: _Ending, result: StudyResult
) -> Conclusion:
    """Tests the finalists on the held-back samples."""
    data, metric = ending.task.data, ending.task.metric

    def run_held_back(scored: ScoredTrial) -> SampleScores:
        ending.observer.stage(f"testing {scored.trial.plan.label} on held-back samples")
        model = model_of(scored, ending.store)
        return judged(metric, run_tflite(model, data.x_held), data.y_held)

    loss = config.demand.max_accuracy_loss
    judge = Judge(loss, result.limits, result.baseline, bench.journal.content)
    return conclude(judge, result, bench.journal, run_held_back)


def _resumable(bench: _Bench) -> str:
    tried = len(bench.journal.content.trials)
    return (
        f"{tried} {'plan is' if tried == 1 else 'plans are'} kept in {bench.folder}; the same "
        "command goes on from there."
    )
