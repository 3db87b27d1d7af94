"""The double-DQN target of Eq. 10. Pure numpy.

Q_tgt = R1 + R2 + gamma Q(o', argmax_a' Q(o', a'; online); target)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from adadeep.search.replay import Batch

Floats = npt.NDArray[np.float32]


def greedy_actions(values: Floats, masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """The open action of the highest value in each row; the first of equals.

    Args:
        values: Q; (rows, actions).
        masks: which actions are open; (rows, actions).
    """
    best: npt.NDArray[np.int64] = np.where(masks, values, -np.inf).argmax(axis=1)
    return best


def column_targets(
    batch: Batch,
    gamma: float,
    next_online: tuple[Floats, Floats],
    next_target: tuple[Floats, Floats],
) -> Floats:
    """Targets of G and H; (rows, 2). Their sum is Q_tgt of Eq. 10.

    Both follow the action a' that the whole of Q = G + H prefers.

    Args:
        batch: transitions.
        gamma: discount.
        next_online: G and H of the online network in o'; each (rows, actions).
        next_target: likewise of the target network.
    """
    best = greedy_actions(next_online[0] + next_online[1], batch.next_masks)
    rows = np.arange(len(best))
    ahead = np.stack([column[rows, best] for column in next_target], axis=1)
    ahead[batch.done] = 0.0
    rewards = np.stack([batch.gains, batch.satisfactions], axis=1)
    return (rewards + gamma * ahead).astype(np.float32)
