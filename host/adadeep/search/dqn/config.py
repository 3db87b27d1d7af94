"""Hyper-parameters of the DQN, and the presets that a user can name."""

from __future__ import annotations

from dataclasses import dataclass, field

from adadeep.core.errors import ConfigError
from adadeep.search.schedules import LinearSchedule


@dataclass(frozen=True, slots=True)
class DqnConfig:
    """Hyper-parameters; the defaults are those that `benchmarks/bench_search.py` favours.

    Attributes:
        trunk_units: units of each shared layer (omega in Eq. 7).
        column_units: units of the layer in each of the columns G (beta) and H (eta).
        learning_rate: of Adam.
        gamma: discount of Eq. 10.
        reward_on_every_step: give each decision of an episode the episode's reward; else the last
            one only, and gamma must carry it back.
        separate_columns: train G on R1 and H on R2, each with its own target; else the sum Q on
            R1 + R2 (Eq. 9).
        epsilon: share of random decisions, by episode.
        warmup_episodes: episodes that are random altogether, before the first greedy one.
        fresh_tries: how often a plan that was asked before is replaced by exploring more.
        replay_capacity: transitions kept.
        batch_size: transitions in a gradient step.
        steps_per_episode: gradient steps after an episode.
        reset_every_episodes: episodes between two resets of the target network.
        starts_at_zero: G and H are 0 everywhere before anything was learned.
    """

    trunk_units: tuple[int, ...] = (64, 64)
    column_units: int = 32
    learning_rate: float = 2e-3
    gamma: float = 1.0
    reward_on_every_step: bool = False
    separate_columns: bool = False
    epsilon: LinearSchedule = field(default_factory=lambda: LinearSchedule(0.5, 0.05, 40))
    warmup_episodes: int = 8
    fresh_tries: int = 8
    replay_capacity: int = 4096
    batch_size: int = 32
    steps_per_episode: int = 24
    reset_every_episodes: int = 1
    starts_at_zero: bool = False


@dataclass(frozen=True, slots=True)
class ImaginationConfig:
    """Hyper-parameters of the DQN that learns from a model of its world.

    Attributes:
        network: sizes, learning rate, batch and replay; its columns have targets of their own.
            It learns how far a decision is better than the outlook tells.
        most_learned: how far at the most over an episode, in units of the reward, by column. A
            network of this size errs by more than what most choices differ in: unbounded, it
            made 30 layers' plans worse by 1 % (`benchmarks/bench_q.py`).
        epsilon: share of random decisions of imagined episodes, by batch.
        rows: episodes of a batch.
        steps: gradient steps after a batch.
        follows: share of the way that the target network, which also decides, moves to the one
            that learns after each batch: one that goes on learning wavers.
        first_batches: before the first plan, while the initial network trains.
        later_batches: after each plan that was tried.
        proposals: walks that propose plans.
        improved: of them, the best by the model, that it improves.
        rounds: of coordinate ascent.
        design: asks that open a search.
    """

    network: DqnConfig = field(
        default_factory=lambda: DqnConfig(
            separate_columns=True, batch_size=64, learning_rate=5e-4, starts_at_zero=True
        )
    )
    most_learned: float = 0.05
    epsilon: LinearSchedule = field(default_factory=lambda: LinearSchedule(0.5, 0.1, 30))
    rows: int = 32
    steps: int = 12
    follows: float = 0.2
    first_batches: int = 30
    later_batches: int = 2
    proposals: int = 64
    improved: int = 6
    rounds: int = 2
    design: int = 3


PRESETS: dict[str, DqnConfig | ImaginationConfig] = {
    "default": ImaginationConfig(),
    # Without a model of the world; what version 0.1 had.
    "model-free": DqnConfig(),
    # Section 4.3 and Algorithm 1. R is observed after every action there; here the network of a
    # plan is evaluated once, at the end, so every action of the plan gets its reward.
    "paper": DqnConfig(
        gamma=0.01,
        reward_on_every_step=True,
        epsilon=LinearSchedule(0.001, 0.001, 1),
        warmup_episodes=0,
        fresh_tries=0,
        steps_per_episode=1,
        reset_every_episodes=10,
    ),
}


def preset_config(name: str) -> DqnConfig | ImaginationConfig:
    """The hyper-parameters of a preset.

    Raises:
        ConfigError: there is no such preset.
    """
    if name not in PRESETS:
        raise ConfigError(f"unknown preset {name!r}. There are: {', '.join(PRESETS)}.")
    return PRESETS[name]
