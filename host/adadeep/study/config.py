"""StudyConfig: everything that a search was asked for, checked in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.core.demand import UserDemand
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.own_task import OwnTask
from adadeep.core.plan_text import PlanText
from adadeep.core.registry import Registry, suggestion
from adadeep.cost.registry import COST_SOURCES
from adadeep.search.registry import SAMPLERS
from adadeep.study.executors.registry import EXECUTORS
from adadeep.study.subject import Subject

_MAX_THREADS = 64


@dataclass(frozen=True, slots=True)
class StudyConfig:
    """What a search was asked for.

    Attributes:
        task: name of the task.
        demand: weights and limits on every device that has none of its own.
        demands: (serial of a device, its own demand) pairs.
        episodes: how many plans are asked for in the folder, in all its sessions; the same plan
            may come twice. None: as many as are worth it.
        sampler: name in the registry of samplers.
        preset: hyper-parameters of the sampler; None for its first.
        seed: of everything random.
        settings: how a model is measured.
        folder: the run's folder; None for runs/<task>-<device>.
        max_time_s: after so long no other plan is asked for; None for no such limit.
        executor: name in the registry; None for what suits the devices.
        look_ahead: how many asks may be open; None for what suits the executor.
        cost_sources: names of those that come before what is measured or computed by default.
        agent: kind of agent that measures; None for the one that suits the device best.
        tries: plans of the user, as written, that are evaluated before the sampler's.
        keep: names of layers that stay as they are.
        only: names of techniques and precisions that may be chosen; empty for all.
        fresh: whether networks that other runs have made are made anew.
        runtime: an archive whose runtime measures; None for the agent's own.
        own: the user's network and data; None where `task` is a registered one.
    """

    task: str
    demand: UserDemand = field(default_factory=UserDemand)
    demands: tuple[tuple[str, UserDemand], ...] = ()
    episodes: int | None = None
    sampler: str = "dqn"
    preset: str | None = None
    seed: int = 0
    settings: MeasureSettings = field(default_factory=MeasureSettings)
    folder: Path | None = None
    max_time_s: float | None = None
    executor: str | None = None
    look_ahead: int | None = None
    cost_sources: tuple[str, ...] = ()
    agent: str | None = None
    tries: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    fresh: bool = False
    runtime: Path | None = None
    own: OwnTask | None = None

    def validate(self, tasks: Iterable[str]) -> None:
        """Checks every setting.

        Args:
            tasks: the names of the tasks there are.

        Raises:
            ConfigError: names all that is wrong, not the first thing only.
        """
        problems = [
            *self.subject.problems(tasks),
            _sampler(self.sampler, self.preset),
            _entry(EXECUTORS, self.executor) if self.executor else "",
            *(_entry(COST_SOURCES, name) for name in self.cost_sources),
            _episodes(self.episodes),
            "" if self.seed >= 0 else f"seed {self.seed}: it must not be negative.",
            _threads(self.settings.threads),
            _folder(self.folder),
            *(problem for text in self.tries for problem in _plan_text(text)),
            *(_name_of_choice(name) for name in self.only),
        ]
        found = [problem for problem in problems if problem]
        if found:
            raise ConfigError("\n       ".join(found))

    def demand_of(self, serial: str) -> UserDemand:
        """What is wanted on a device."""
        return dict(self.demands).get(serial, self.demand)

    @property
    def subject(self) -> Subject:
        """What the search is about."""
        return Subject(self.task, self.own)


def _unknown(kind: str, name: str, known: list[str]) -> str:
    if name in known:
        return ""
    return f"unknown {kind} {name!r}.{suggestion(name, known)} There are: {', '.join(known)}."


def _entry(registry: Registry[Any], name: str) -> str:
    try:
        registry.get(name)
    except ConfigError as error:  # unknown, or a plug-in that can't be used
        return str(error)
    return ""


def _sampler(name: str, preset: str | None) -> str:
    if problem := _entry(SAMPLERS, name):
        return problem
    kind = SAMPLERS.get(name)
    unusable: Callable[[], str | None] | None = getattr(kind, "unusable", None)
    if preset is not None and preset not in kind.presets:
        return _unknown(f"preset of {name}", preset, list(kind.presets))
    return (unusable() if unusable else None) or ""


def _plan_text(text: str) -> list[str]:
    """What is wrong with a user's plan, as far as it can be told without the network."""
    try:
        plan = PlanText.read(text)
    except ConfigError as error:
        return [str(error)]
    names = [_entry(TECHNIQUES, name) for name in plan.techniques]
    return [f"--try {plan.text}: {p}" for p in (*names, _entry(PRECISIONS, plan.precision)) if p]


def _name_of_choice(name: str) -> str:
    if name in TECHNIQUES:
        return _entry(TECHNIQUES, name)
    if name in PRECISIONS:
        return _entry(PRECISIONS, name)
    known = [*TECHNIQUES, *PRECISIONS]
    return f"--only: {_unknown('technique or precision', one_line(name, 40), known)}"


def _episodes(count: int | None) -> str:
    return "" if count is None or count >= 1 else f"{count} episodes: at least 1 is needed."


def _threads(threads: int) -> str:
    if 1 <= threads <= _MAX_THREADS:
        return ""
    return f"{threads} threads: 1 to {_MAX_THREADS} are possible."


def _folder(folder: Path | None) -> str:
    if folder is None or folder.is_dir() or not folder.exists():
        return ""
    return f"{folder} is a file; name a folder with -o."
