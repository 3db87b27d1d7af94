"""A maker of networks that keeps the latest one, to be judged in Keras. Imports TensorFlow."""

from __future__ import annotations

from typing import Any

from adadeep.core.compressed import Compressed
from adadeep.core.plan import CompressionPlan
from adadeep.study.maker import KerasMaker
from adadeep.training.tasks import LoadedTask


class RecordingMaker(KerasMaker):
    """As `KerasMaker`.

    Attributes:
        latest: the Keras network that was made last.
        name: of the task.
    """

    latest: Any = None
    name = ""

    @property
    def task(self) -> LoadedTask:
        """Data and metric."""
        return self._task

    def _compressed(self, plan: CompressionPlan, full: bool = False) -> Compressed[Any]:
        made = super()._compressed(plan, full)
        self.latest = made.network
        return made
