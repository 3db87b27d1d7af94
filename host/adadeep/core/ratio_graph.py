"""All ratios of a study as one graph: what each model takes in units of any other.

Models are nodes, what was measured between two of them is an edge with its variance, and the log
latencies that fit all edges best (weighted least squares) give the ratio of any two, also of those
that never met.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.estimates import RatioEstimate, summed
from adadeep.core.noise import NoiseModel
from adadeep.core.noise_series import own_shares
from adadeep.core.session import MeasuredTogether

_LEAST_VARIANCE = 1e-12
_MOST_DF = 1e9

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Edge:
    """What was measured between two models.

    Attributes:
        first: a hash, or any other name.
        second: likewise; another one.
        estimate: of the first over the second.
    """

    first: str
    second: str
    estimate: RatioEstimate

    def __post_init__(self) -> None:
        if self.first == self.second:
            raise ValueError("an edge from a model to itself")


@dataclass(frozen=True, slots=True)
class _Part:
    """Nodes that are connected, and what fits their edges."""

    edges: tuple[Edge, ...]
    index: dict[str, int]
    logs: Floats  # (nodes,), the first node's being 0
    gains: Floats  # (nodes, edges): what an edge's log ratio adds to a node's log


class RatioGraph:
    """Log ratios, fitted together; make it by `of`."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self._part_of = {name: part for part in parts for name in part.index}

    @classmethod
    def of(cls, edges: Iterable[Edge]) -> RatioGraph:
        """The graph of these edges, several between the same two too."""
        return cls([_fitted(part) for part in _connected(tuple(edges))])

    def __contains__(self, name: object) -> bool:
        return name in self._part_of

    def ratio(self, model: str, unit: str) -> RatioEstimate | None:
        """How much longer a model takes than another one, by all edges together.

        Args:
            model: name of its node.
            unit: of the other one's. The ratio of a node to itself is 1, exactly.

        Returns:
            None where nothing connects them.
        """
        part = self._part_of.get(model)
        if part is None or unit not in part.index:
            return None
        i, j = part.index[model], part.index[unit]
        if i == j:
            return RatioEstimate(0.0, 0.0, _MOST_DF)
        gains = part.gains[i] - part.gains[j]
        terms = [
            (float(gain) ** 2 * _variance(edge), edge.estimate.df)
            for gain, edge in zip(gains, part.edges, strict=True)
            if abs(gain) > 1e-9
        ]
        variance, df = summed(*terms)
        return RatioEstimate(float(part.logs[i] - part.logs[j]), variance**0.5, df)


def _variance(edge: Edge) -> float:
    return max(edge.estimate.sd**2, _LEAST_VARIANCE)


def _connected(edges: tuple[Edge, ...]) -> list[tuple[Edge, ...]]:
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        leader.setdefault(name, name)
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for edge in edges:
        leader[find(edge.first)] = find(edge.second)
    parts: dict[str, list[Edge]] = {}
    for edge in edges:
        parts.setdefault(find(edge.first), []).append(edge)
    return [tuple(part) for part in parts.values()]


def _fitted(edges: tuple[Edge, ...]) -> _Part:
    names = sorted({name for edge in edges for name in (edge.first, edge.second)})
    index = {name: number for number, name in enumerate(names)}
    ends = np.array([(index[edge.first], index[edge.second]) for edge in edges])
    weights = np.array([1 / _variance(edge) for edge in edges])
    logs = np.array([edge.estimate.log_ratio for edge in edges])
    rows = np.arange(len(edges))
    incidence = np.zeros((len(edges), len(names)))
    incidence[rows, ends[:, 0]] = 1.0
    incidence[rows, ends[:, 1]] = -1.0
    grounded = incidence[:, 1:]  # the first node's log is 0
    scale = weights.max()  # exact devices' weights are beyond what squares of them can bear
    inner = np.linalg.inv(grounded.T @ (grounded * (weights / scale)[:, None]))
    gains = np.zeros((len(names), len(edges)))
    gains[1:] = inner @ (grounded * (weights / scale)[:, None]).T
    return _Part(edges, index, gains @ logs, gains)


def edges_of(
    session: MeasuredTogether, noise: NoiseModel, names: Sequence[str] | None = None
) -> tuple[Edge, ...]:
    """What a session says of its models' ratios: an edge for every pair.

    Pairs of one session share what a model's own placement does to it: n models have n errors of
    their own, and not one a pair. Were the session a node in the middle, with an edge to each
    model that has the model's own variance, that would be said. These edges are that star without
    its middle (a star-mesh transform): whatever else is in the graph, they fit and err alike.

    Args:
        session: of any number of models; of one there is nothing to say.
        noise: of the device.
        names: of the models' nodes; None for their hashes. Two of one name are no edge.
    """
    models = session.measurements
    names = names or [one.model_sha256 for one in models]
    count = len(models)
    pairs = list(itertools.combinations(range(count), 2))
    found = {(i, j): noise.ratio(session, i, j) for i, j in pairs}
    logs, squares = np.zeros((count, count)), np.zeros((count, count))
    for (i, j), ratio in found.items():
        logs[i, j], logs[j, i] = ratio.log_ratio, -ratio.log_ratio
        squares[i, j] = squares[j, i] = max(ratio.sd**2, _LEAST_VARIANCE)
    levels = logs.mean(axis=1)
    meshed = _meshed(squares)
    # By the session alone the ratio of two then has the degrees of freedom of their pair.
    share = (count + 6) / (2 * count * count)
    return tuple(
        Edge(names[i], names[j], RatioEstimate(
            float(levels[i] - levels[j]), float(meshed[i, j]) ** 0.5, max(share * one.df, 1.0),
            one.left_out,
        ))
        for (i, j), one in found.items()
        if names[i] != names[j]
    )  # fmt: skip


def _meshed(squares: Floats) -> Floats:
    """(models, models): the variances of pairs that weigh as the models' own errors do."""
    if len(squares) < 3:
        return squares
    own = own_shares(squares)
    return np.asarray(np.outer(own, own) * np.sum(1 / own))
