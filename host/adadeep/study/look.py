"""A look at a network: what it is, told by a worker process; nothing is trained."""

from __future__ import annotations

from collections.abc import Callable

from adadeep.core.errors import ConfigError
from adadeep.core.layers import ModelSpec
from adadeep.storage.native_log import native_log
from adadeep.storage.run_folder import INITIAL_NETWORK
from adadeep.storage.scratch import give_keras_a_home, scratch_folder
from adadeep.study.subject import Subject
from adadeep.study.trainer import Trainer
from adadeep.study.worker_messages import OpenTask


def network_of(subject: Subject, stage: Callable[[str], None]) -> ModelSpec:
    """The initial network of a task, or of the user's own.

    Raises:
        ConfigError: it can't be loaded.
    """
    from adadeep.training.registry import TASKS

    if subject.own is None and (problems := subject.problems(TASKS)):
        raise ConfigError("\n       ".join(problems))
    give_keras_a_home()
    with scratch_folder() as scratch, native_log(None):
        opening = OpenTask(
            subject.task, 0, str(scratch / INITIAL_NETWORK), False, own=subject.own, is_bare=True
        )
        trainer = Trainer(opening, stage)
        try:
            return trainer.opened.spec
        finally:
            trainer.close()
