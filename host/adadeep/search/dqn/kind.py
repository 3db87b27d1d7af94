"""The "dqn" entry of the registry; the sampler is imported when one is made."""

from __future__ import annotations

from adadeep.core.sampler import Sampler
from adadeep.core.search import SearchContext
from adadeep.search.dqn.config import PRESETS, ImaginationConfig, preset_config


class DqnKind:
    """The dueling double DQN of AdaDeep."""

    name = "dqn"
    title = "dueling double DQN (AdaDeep)"
    presets = tuple(PRESETS)

    def make(self, context: SearchContext) -> Sampler:
        """A sampler that knows nothing yet.

        Raises:
            ConfigError: there is no such preset.
        """
        config = preset_config(context.preset)
        if isinstance(config, ImaginationConfig):
            from adadeep.search.dqn.planning import PlanningDqnSampler

            return PlanningDqnSampler(context, config)
        from adadeep.search.dqn.sampler import DqnSampler

        demands = tuple(goal.demand for goal in context.goals)
        return DqnSampler(context.space, demands, context.seed, config)


DQN = DqnKind()
