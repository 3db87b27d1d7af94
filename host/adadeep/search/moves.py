"""Which plans lie where in a space: uniform ones, neighbours, the n-th. Pure.

Decisions are a tuple of action numbers, one a point, that `SearchSpace.plan` takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adadeep.core.plan import UNCHANGED_PRECISION, LayerChoice
from adadeep.core.space import NOTHING, PrecisionChoice, SearchSpace

Decisions = tuple[int, ...]


def initial_decisions(space: SearchSpace) -> Decisions:
    """Those that change nothing; the first precision where the unchanged one is not offered."""
    return tuple(
        NOTHING if point.layer else _unchanged(space, point.options) for point in space.points
    )


def repaired(space: SearchSpace, decisions: Sequence[int]) -> Decisions:
    """The same decisions, but nothing on layers behind one whose action replaces them.

    Args:
        space: what there is to decide.
        decisions: one of its options for each point.
    """
    found: list[int] = []
    has_ended = False
    for point, number in zip(space.points, decisions, strict=True):
        found.append(NOTHING if has_ended and point.layer else number)
        has_ended = has_ended or number in space.ending
    return tuple(found)


def neighbours(space: SearchSpace, decisions: Sequence[int]) -> Iterator[Decisions]:
    """Every plan that is one other decision away, by point and then by number of the action.

    Where that decision replaces later layers, nothing is left to decide on them.

    Args:
        space: what there is to decide.
        decisions: of a plan of it.
    """
    decisions, has_ended = tuple(decisions), False
    for place, point in enumerate(space.points):
        is_open = not (has_ended and point.layer)
        for number in point.options if is_open else ():
            if number != decisions[place]:
                changed = (*decisions[:place], number, *decisions[place + 1 :])
                yield repaired(space, changed) if number in space.ending else changed
        has_ended = has_ended or decisions[place] in space.ending


def precision_plans(space: SearchSpace) -> list[Decisions]:
    """Each precision alone, but the initial network's; as registered."""
    initial = initial_decisions(space)
    return [
        (*initial[:place], number, *initial[place + 1 :])
        for place, point in enumerate(space.points)
        if point.layer is None
        for number in point.options
        if number != initial[place]
    ]


def uniform_plans(space: SearchSpace) -> list[Decisions]:
    """Each setting of each technique on every layer that it fits, in the order of the actions.

    Where a layer does not offer a setting, it gets the technique's setting of the same rank there
    (the second one of two, say), and nothing where there is none.
    """
    initial = initial_decisions(space)
    plans = dict.fromkeys(_uniform(space, number) for number in range(len(space.actions)))
    return [plan for plan in plans if plan != initial]


def merged(space: SearchSpace, first: Sequence[int], second: Sequence[int]) -> Decisions:
    """The first plan, and what the second one changes where the first changes nothing."""
    triples = zip(initial_decisions(space), first, second, strict=True)
    return repaired(space, [other if mine == same else mine for same, mine, other in triples])


def count_plans(space: SearchSpace) -> int:
    """How many plans there are."""
    return _completions(space)[0][0]


def nth_plan(space: SearchSpace, number: int) -> Decisions:
    """The plan of that number, from 0 to `count_plans` less 1, in the order of the decisions."""
    left = _completions(space)
    decisions: list[int] = []
    has_ended = False
    for place, point in enumerate(space.points):
        for action in (NOTHING,) if has_ended and point.layer else point.options:
            ends = has_ended or action in space.ending
            size = left[place + 1][ends]
            if number < size:
                break
            number -= size
        decisions.append(action)
        has_ended = ends
    return tuple(decisions)


def _completions(space: SearchSpace) -> list[tuple[int, int]]:
    """From each point on, in how many ways it goes on: layers still open, or replaced."""
    counts = [(1, 1)]
    for point in reversed(space.points):
        going_on, ended = counts[0]
        endings = len(space.ending.intersection(point.options))
        opened = (len(point.options) - endings) * going_on + endings * ended
        counts.insert(0, (opened, ended if point.layer else len(point.options) * ended))
    return counts


def _unchanged(space: SearchSpace, options: Sequence[int]) -> int:
    unchanged = PrecisionChoice(UNCHANGED_PRECISION)
    return next((one for one in options if space.actions[one] == unchanged), options[0])


def _uniform(space: SearchSpace, number: int) -> Decisions:
    """A choice wherever it fits; nothing at all for a precision."""
    action = space.actions[number]
    if not isinstance(action, LayerChoice):
        return initial_decisions(space)
    of_technique = [
        [one for one in point.options if _technique(space, one) == action.technique]
        for point in space.points
    ]
    rank = next((own.index(number) for own in of_technique if number in own), 0)
    wanted = [
        number if number in own else own[rank] if rank < len(own) else same
        for own, same in zip(of_technique, initial_decisions(space), strict=True)
    ]
    return repaired(space, wanted)


def _technique(space: SearchSpace, number: int) -> str | None:
    action = space.actions[number]
    return action.technique if isinstance(action, LayerChoice) else None
