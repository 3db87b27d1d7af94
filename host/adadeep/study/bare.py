"""Makes networks of a user's own where there are no data: nothing is trained, nothing judged.

Only the worker process imports this.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from adadeep.compress.apply import apply_plan
from adadeep.compress.describe import model_spec
from adadeep.compress.graph import standard
from adadeep.compress.load import load_model
from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.convert.tflite import convert, require_room
from adadeep.core.compressed import Compressed
from adadeep.core.errors import ConfigError
from adadeep.core.files import write_atomic, write_through
from adadeep.core.plan import CompressionPlan
from adadeep.study.maker import part_file
from adadeep.study.worker_messages import Made, Opened, OpenTask
from adadeep.training.saying import said
from adadeep.training.tasks import load_task


class BareMaker:
    """Makes networks without data.

    Args:
        network: the initial one.
        title: of it.
    """

    is_bare: Literal[True] = True

    def __init__(self, network: Any, title: str) -> None:
        self._initial = network
        self._title = title

    @classmethod
    def open(cls, request: OpenTask, stage: Callable[[str], None]) -> BareMaker:  # noqa: ARG003
        """Loads the network.

        Raises:
            ConfigError: it can't be loaded, or its file can't be written.
        """
        if request.own is None:
            task = load_task(request.task)
            data = task.data
            raw = task.network.build(data.input_shape, data.classes, request.seed)
            return cls(standard(raw), task.network.title)
        own = request.own
        found = said(own.train, own.search_path).get("custom_objects")
        raw = load_model(
            Path(own.model), trust=own.trust_model, custom_objects=found, compiled=False
        )
        model = standard(raw)
        write_through(Path(request.initial), model.save)
        return cls(model, Path(own.model).name)

    @property
    def opened(self) -> Opened:
        """What the host is told."""
        return Opened(model_spec(self._initial, self._title), "")

    def make(self, plan: CompressionPlan, folder: str, full: bool = False) -> Made:
        """Compresses and converts the network; nothing is trained.

        Raises:
            TechniqueNotApplicable: the plan can't be applied.
            ConversionError: the network did not become a .tflite.
            ConfigError: the precision takes its ranges from samples, or memory does not suffice.
        """
        del full
        gc.collect()
        precision = PRECISIONS.get(plan.precision)
        if precision.needs_samples:
            raise ConfigError(
                f"{precision.name} takes its ranges from samples; name some by --data, or choose"
                " another precision."
            )
        require_room(self._initial)
        made = Compressed(self._initial) if not plan.choices else apply_plan(self._initial, plan)
        spec = model_spec(made.network, plan.label, made.hooks).in_precision(precision)
        file, network = part_file(folder, plan, "tflite"), None
        write_atomic(file, convert(made.network, precision, None, made.stores_sparse))
        if plan.choices:
            network = part_file(folder, plan, "keras")
            write_through(network, made.network.save)
        return Made(str(file), str(network) if network else None, None, spec)
