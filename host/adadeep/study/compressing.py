"""`adadeep compress`: one plan, carried out by the full recipe, without a device and a search."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adadeep.compress.apply import outline_plan
from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, TechniqueNotApplicable
from adadeep.core.files import write_through
from adadeep.core.free_plan import free_plan
from adadeep.core.layers import ModelSpec
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.plan import CompressionPlan
from adadeep.core.plan_text import PlanText
from adadeep.core.reader import convert
from adadeep.storage.initials import initials_folder
from adadeep.storage.native_log import native_log
from adadeep.storage.run_folder import INITIAL_NETWORK
from adadeep.storage.scratch import give_keras_a_home, scratch_folder
from adadeep.study.subject import Subject
from adadeep.study.trainer import Trainer
from adadeep.study.worker_messages import (
    Explain,
    Explained,
    Made,
    Make,
    OpenTask,
    PartLoss,
)

TFLITE, KERAS = ".tflite", ".keras"


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a network costs, and how good it is.

    Attributes:
        spec: what it is, in its precision.
        file_bytes: of its .tflite.
        test_accuracy: of that on the test data; None where there are none.
    """

    spec: ModelSpec
    file_bytes: int
    test_accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class Compression:
    """A network, compressed by a plan.

    Attributes:
        task: what was compressed.
        plan: how.
        before: the initial network, in float32.
        after: the compressed one.
        model: its .tflite.
        network: its .keras.
        scale: what the quality means; None where there are no data.
        losses: what int8 costs by layer; None where that was not asked.
    """

    task: str
    plan: CompressionPlan
    before: Weighed
    after: Weighed
    model: Path
    network: Path
    scale: Scale | None = None
    losses: tuple[PartLoss, ...] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `compress` is asked for.

    Attributes:
        subject: a task, or a network of the user's own.
        plan: as written.
        out: where the .tflite goes; the .keras beside it. None: named by the subject, here.
        seed: of the training.
        explains: whether to say what int8 costs by layer.
    """

    subject: Subject
    plan: str
    out: Path | None = None
    seed: int = 0
    explains: bool = False

    @property
    def has_data(self) -> bool:
        """Whether there is something to train on, and to judge by."""
        own = self.subject.own
        return own is None or own.data is not None

    @property
    def model(self) -> Path:
        """Where the .tflite goes."""
        return self.out or Path(f"{self.subject.task}-compressed{TFLITE}")

    def check(self, tasks: dict[str, Any]) -> PlanText:
        """What can be told at once; gives the plan as it is written.

        Raises:
            ConfigError: something is wrong.
        """
        problems = self.subject.problems(tasks) if self.has_data else []
        if problems:
            raise ConfigError("\n       ".join(problems))
        if self.explains and not self.has_data:
            raise ConfigError("--explain quantises by samples; name some by --data.")
        self._check_out()
        return PlanText.read(self.plan, "--plan")

    def _check_out(self) -> None:
        if self.model.suffix.lower() != TFLITE:
            raise ConfigError(f"-o {self.model}: write its name with .tflite at the end.")
        if not self.model.parent.is_dir():
            raise ConfigError(f"-o {self.model}: there is no such folder; make it first.")
        own = self.subject.own
        for path in (self.model, self.model.with_suffix(KERAS)):
            if own is not None and path.exists() and path.samefile(own.model):
                raise ConfigError(
                    f"-o {self.model}: {path} is the network that is compressed; name another"
                    " file."
                )


def compress(
    wanted: Wanted, stage: Callable[[str], None], note: Callable[[str], None]
) -> Compression:
    """Carries a plan out and writes the network.

    Args:
        wanted: what is asked for.
        stage: is told what begins.
        note: is told what the user should see.

    Raises:
        ConfigError: a setting, the network, the data or the plan is wrong.
        ConversionError: the network did not become a .tflite.
    """
    from adadeep.training.registry import TASKS

    text = wanted.check(dict(TASKS.usable()))
    give_keras_a_home()
    with scratch_folder() as scratch, native_log(None), worker(wanted, scratch, stage) as trainer:
        for line in trainer.opened.notes:
            note(line)
        plan = _plan(wanted, text, trainer.opened.spec, note)
        return _carried_out(wanted, plan, trainer, scratch, stage, note)


@contextlib.contextmanager
def worker(wanted: Wanted, scratch: Path, stage: Callable[[str], None]) -> Iterator[Trainer]:
    """The process that loads, compresses and converts."""
    opening = OpenTask(
        task=wanted.subject.task,
        seed=wanted.seed,
        initial=str(scratch / INITIAL_NETWORK),
        goes_on=False,
        own=wanted.subject.own,
        cache=str(initials_folder()),
        is_bare=not wanted.has_data,
    )
    trainer = Trainer(opening, stage)
    try:
        yield trainer
    finally:
        trainer.close()


def _plan(
    wanted: Wanted, text: PlanText, spec: ModelSpec, note: Callable[[str], None]
) -> CompressionPlan:
    """The plan that is meant; it applies, as far as that can be told without applying it.

    Raises:
        ConfigError: it does not, or needs data that there are not.
    """
    plan, notes = free_plan(text, spec, TECHNIQUES.usable(), tuple(PRECISIONS.usable()))
    for line in notes:
        note(line)
    if PRECISIONS.get(plan.precision).needs_samples and not wanted.has_data:
        raise text.wrong(
            f"{plan.precision} takes its ranges from samples; name some by --data, or choose"
            " another precision."
        )
    try:
        outline_plan(spec, plan, TECHNIQUES)
    except TechniqueNotApplicable as error:
        raise text.wrong(str(error)) from error
    if plan.choices and not wanted.has_data:
        note("without --data nothing is trained after compressing, and nothing is judged")
    return plan


def _carried_out(
    wanted: Wanted,
    plan: CompressionPlan,
    trainer: Trainer,
    scratch: Path,
    stage: Callable[[str], None],
    note: Callable[[str], None],
) -> Compression:
    stage("converting the initial network")
    before = _made(trainer, CompressionPlan(), scratch)
    for line in before.notes:
        note(line)
    stage(f"compressing by {plan.label}")
    made = _made(trainer, plan, scratch)
    network = Path(made.network) if made.network else scratch / INITIAL_NETWORK
    losses = None
    if wanted.explains:
        stage("quantising one layer after the other")
        reply = trainer.ask(Explain())
        assert isinstance(reply, Explained)
        losses = reply.losses
    found = Compression(
        wanted.subject.task, plan, _weighed(wanted, trainer, before),
        _weighed(wanted, trainer, made), wanted.model, wanted.model.with_suffix(KERAS),
        _scale(trainer) if wanted.has_data else None, losses,
    )  # fmt: skip
    write_through(found.network, lambda path: shutil.copyfile(network, path))
    write_through(found.model, lambda path: shutil.copyfile(made.model, path))
    return found


def _made(trainer: Trainer, plan: CompressionPlan, scratch: Path) -> Made:
    try:
        made = trainer.ask(Make(plan, str(scratch), full=True))
    except TechniqueNotApplicable as error:
        raise ConfigError(
            f"--plan {one_line(plan.label, 80)}: {error} Choose another setting, or leave it out."
        ) from error
    assert isinstance(made, Made)
    return made


def _weighed(wanted: Wanted, trainer: Trainer, made: Made) -> Weighed:
    path = Path(made.model)
    test = trainer.judge(path, "test").quality if wanted.has_data else None
    return Weighed(made.spec, path.stat().st_size, test)


def _scale(trainer: Trainer) -> Scale:
    about = trainer.opened.about.get("metric")
    return ACCURACY_SCALE if about is None else convert(about, Scale, "the metric")


def compression_as_json(found: Compression) -> dict[str, Any]:
    """For JSON: keys as in docs/json.md."""
    return {
        "task": found.task,
        "label": found.plan.label,
        "key": found.plan.key,
        "plan": {"layers": _layers(found.plan), "precision": found.plan.precision},
        "before": _weight(found.before),
        "after": _weight(found.after),
        "model": str(found.model),
        "network": str(found.network),
        "metric": asdict(found.scale) if found.scale else None,
        "int8_losses": None if found.losses is None else [
            {"layers": list(one.layers), "sqnr_db": one.sqnr_db, "is_lossless": one.is_lossless}
            for one in found.losses
        ],
    }  # fmt: skip


def _layers(plan: CompressionPlan) -> dict[str, dict[str, float | int | str]]:
    return {
        name: {"technique": one.technique, **dict(one.parameters)} for name, one in plan.choices
    }


def _weight(one: Weighed) -> dict[str, Any]:
    return {
        "macs": one.spec.macs,
        "storage_bytes": one.spec.parameter_storage_bytes,
        "activation_bytes": one.spec.activation_storage_bytes,
        "file_bytes": one.file_bytes,
        "test_accuracy": one.test_accuracy,
    }
