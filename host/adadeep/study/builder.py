"""The composition root: from a StudyConfig and a device to a finished search."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adadeep.compress.registry import TECHNIQUES
from adadeep.core.clock import Deadline
from adadeep.core.correct import CorrectSamples
from adadeep.core.device import LOCAL_SERIAL, DeviceFacts
from adadeep.core.errors import Interrupted, TransientDeviceError
from adadeep.core.transport import Transport
from adadeep.devices.agent_watch import Watch
from adadeep.devices.facts import gather_facts
from adadeep.measure.meter import LatencyMeter
from adadeep.measure.session import MeterOptions, open_meter
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
from adadeep.training.tasks import TASKS, Task

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
    name = LOCAL_SERIAL if facts.is_this_computer else facts.title
    return Path("runs") / f"{task}-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}"


@contextlib.contextmanager
def _bench(config: StudyConfig, transport: Transport, observer: StudyObserver) -> Iterator[_Bench]:
    deadline = Deadline.after(_READY_S)
    until = None if config.max_time_s is None else Deadline.after(config.max_time_s)
    with contextlib.ExitStack() as stack:
        techniques = tuple(TECHNIQUES)
        given = config.folder
        journal = stack.enter_context(Journal.open(given, techniques)) if given else None
        observer.stage("getting the device ready")
        known = gather_facts(transport, deadline)
        facts = known[0]
        folder = config.folder or default_folder(config.task, facts)
        journal = journal or stack.enter_context(Journal.open(folder, techniques))
        study, watch = journal.content.id, Watch(observer.note)
        options = MeterOptions(config.agent, known, study, watch=watch)
        meter = stack.enter_context(open_meter(transport, deadline, config.settings, options))
        journal.begin(config.header(facts.title, facts.fingerprint, meter.identity))
        yield _Bench(folder, journal, meter, until)


def _search(config: StudyConfig, bench: _Bench, observer: StudyObserver) -> Outcome:
    observer.stage(f"loading {config.task}")
    from adadeep.study.maker import INITIAL, KerasMaker  # TensorFlow: seconds
    from adadeep.training.tasks import load_task

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
    space = build_space(maker.spec, [TECHNIQUES.get(name) for name in TECHNIQUES])
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

    task: Task
    store: ArtifactStore
    observer: StudyObserver


def _conclude(config: StudyConfig, bench: _Bench, ending: _Ending, result: StudyResult) -> Outcome:
    from adadeep.convert.verify import run_tflite, tflite_accuracy

    task, store = ending.task, ending.store
    conclusion = _tested(config, bench, ending, result)
    models = model_of(conclusion.winner, store), model_of(result.baseline, store)
    ending.observer.stage("running the winner on the test data, to report it")
    best, initial = (tflite_accuracy(model, task.x_test, task.y_test) for model in models)
    target = bench.meter.target
    identity = Identity(
        task=config.task,
        device_title=target.device_title,
        device_fingerprint=target.device_fingerprint,
        seed=config.seed,
        sampler=config.sampler,
        preset=config.preset,
    )
    outcome = Outcome(identity, result, conclusion, FinalAccuracies(best, initial), bench.folder)
    inputs = task.x_test[:SAMPLE_COUNT]
    samples: dict[str, Array] = {
        "inputs": inputs,
        "labels": task.y_test[:SAMPLE_COUNT],
        "best_outputs": run_tflite(models[0], inputs),
        "initial_outputs": run_tflite(models[1], inputs),
    }
    write_outcome(outcome, models, samples)
    return outcome


def _tested(
    config: StudyConfig, bench: _Bench, ending: _Ending, result: StudyResult
) -> Conclusion:
    """Tests the finalists on the held-back samples."""
    from adadeep.convert.verify import tflite_correct

    task = ending.task

    def run_held_back(scored: ScoredTrial) -> CorrectSamples:
        ending.observer.stage(f"testing {scored.trial.plan.label} on held-back samples")
        model = model_of(scored, ending.store)
        return CorrectSamples.of(tflite_correct(model, task.x_held, task.y_held))

    loss = config.demand.max_accuracy_loss
    judge = Judge(loss, result.limits, result.baseline, bench.journal.content)
    return conclude(judge, result, bench.journal, run_held_back)


def _resumable(bench: _Bench) -> str:
    tried = len(bench.journal.content.trials)
    return (
        f"{tried} {'plan is' if tried == 1 else 'plans are'} kept in {bench.folder}; the same "
        "command goes on from there."
    )
