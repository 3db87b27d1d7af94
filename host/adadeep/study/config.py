"""StudyConfig: everything that a search was asked for, checked in one go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from adadeep.core.demand import UserDemand
from adadeep.core.errors import ConfigError
from adadeep.core.measurement import Agent, MeasureSettings
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.registry import suggestion
from adadeep.search.registry import PRESETS, SAMPLERS
from adadeep.training.registry import DATA_SETS, METRICS, NETWORKS, RECIPES, TASKS

_MAX_THREADS = 64


@dataclass(frozen=True, slots=True)
class StudyConfig:
    """What a search was asked for.

    Attributes:
        task: name of the task.
        demand: weights and limits.
        episodes: how many plans the sampler is asked for, at most; the same plan may come twice.
        sampler: name in the registry of samplers.
        preset: hyper-parameters of the sampler.
        seed: of everything random.
        settings: how a model is measured.
        folder: the run's folder; None for runs/<task>-<device>.
        max_time_s: after so long no other plan is asked for; None for no such limit.
    """

    task: str
    demand: UserDemand = field(default_factory=UserDemand)
    episodes: int = 30
    sampler: str = "dqn"
    preset: str = "default"
    seed: int = 0
    settings: MeasureSettings = field(default_factory=MeasureSettings)
    folder: Path | None = None
    max_time_s: float | None = None

    def check(self, tasks: Iterable[str]) -> None:
        """Checks every setting.

        Args:
            tasks: the names of the tasks there are.

        Raises:
            ConfigError: names all that is wrong, not the first thing only.
        """
        problems = [
            _unknown("task", self.task, list(tasks)),
            *_unknown_parts(self.task),
            _unknown("sampler", self.sampler, list(SAMPLERS)),
            _unknown("preset", self.preset, list(PRESETS)),
            "" if self.episodes >= 1 else f"{self.episodes} episodes: at least 1 is needed.",
            "" if self.seed >= 0 else f"seed {self.seed}: it must not be negative.",
            _threads(self.settings.threads),
            _folder(self.folder),
        ]
        found = [problem for problem in problems if problem]
        if found:
            raise ConfigError("\n       ".join(found))

    def header(self, device_title: str, device_fingerprint: str, agent: Agent) -> dict[str, Any]:
        """What must be the same for a search to be gone on with; JSON values.

        The number of episodes is not in it: a search may be given more.

        Raises:
            ConfigError: a part of the task can't be had.
        """
        task = TASKS.get(self.task)
        scale = Scale.of(METRICS.get(task.metric))
        metric = {} if scale == ACCURACY_SCALE else {"metric": asdict(scale)}
        return {
            "task": self.task,
            "split": DATA_SETS.get(task.data_set).split,
            **metric,
            "device": device_title,
            "device_fingerprint": device_fingerprint,
            "runtime": f"{agent.runtime} {agent.runtime_version}",
            "demand": asdict(self.demand),
            "sampler": self.sampler,
            "preset": self.preset,
            "seed": self.seed,
            "settings": asdict(self.settings),
        }


def _unknown(kind: str, name: str, known: list[str]) -> str:
    if name in known:
        return ""
    return f"unknown {kind} {name!r}.{suggestion(name, known)} There are: {', '.join(known)}."


def _unknown_parts(name: str) -> list[str]:
    """What a task names and is not installed here."""
    if name not in TASKS:
        return []
    task = TASKS.get(name)
    return [
        _unknown("network", task.network, list(NETWORKS)),
        _unknown("data set", task.data_set, list(DATA_SETS)),
        _unknown("recipe", task.recipe, list(RECIPES)),
        _unknown("metric", task.metric, list(METRICS)),
    ]


def _threads(threads: int) -> str:
    if 1 <= threads <= _MAX_THREADS:
        return ""
    return f"{threads} threads: 1 to {_MAX_THREADS} are possible."


def _folder(folder: Path | None) -> str:
    if folder is None or folder.is_dir() or not folder.exists():
        return ""
    return f"{folder} is a file; name a folder with -o."
