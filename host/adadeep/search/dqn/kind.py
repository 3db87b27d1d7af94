"""The "dqn" entry of the registry; the sampler is imported when one is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adadeep.core.search import SearchContext
from adadeep.search.dqn.config import PRESETS, preset_config

if TYPE_CHECKING:
    from adadeep.search.dqn.sampler import DqnSampler


class DqnKind:
    """The dueling double DQN of AdaDeep."""

    name = "dqn"
    title = "dueling double DQN (AdaDeep)"
    presets = tuple(PRESETS)

    def make(self, context: SearchContext) -> DqnSampler:
        """A sampler that knows nothing yet.

        Raises:
            ConfigError: there is no such preset.
        """
        from adadeep.search.dqn.sampler import DqnSampler

        demands = tuple(goal.demand for goal in context.goals)
        return DqnSampler(context.space, demands, context.seed, preset_config(context.preset))


DQN = DqnKind()
