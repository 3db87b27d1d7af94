"""Which metric a user's own network is judged by."""

from __future__ import annotations

from typing import Any

from adadeep.core.errors import ConfigError
from adadeep.core.metric import Metric, Scale
from adadeep.training.ends import End, Meaning
from adadeep.training.metrics.together import Together
from adadeep.training.registry import METRICS


def inferred_name(end: End) -> str:
    """Of the metric of an output, where nobody names one."""
    if end.meaning is Meaning.VALUES:
        return "mean_error"
    is_map = not end.is_one and end.meaning is Meaning.CLASSES
    return "iou" if is_map else "accuracy"


def metric_for(name: str | None, ends: tuple[End, ...]) -> Metric:
    """The metric of a network, by its outputs.

    Args:
        name: of one in the registry: it judges the outputs that it suits; None: what suits each.
        ends: what the outputs mean.

    Raises:
        ConfigError: no such metric, or it suits no output.
    """
    found = [_of(METRICS.get(name or inferred_name(end)), end) for end in ends]
    if all(one is None for one in found):
        raise ConfigError(
            f"metric {name!r} does not suit the network's outputs"
            f" ({', '.join(end.meaning for end in ends)}); leave out --metric, or name another."
        )
    if len(ends) == 1 and found[0] is not None:
        return found[0]
    if any(one is not None and Scale.of(one).is_f1 for one in found):
        raise ConfigError(
            "F1 judges a network of one output, and this one has several; name another --metric."
        )
    return Together(found, [end.name for end in ends])


def _of(metric: Any, end: End) -> Metric | None:
    """A metric for an output; None where it does not suit it. One of a plug-in is as it is."""
    if not hasattr(metric, "of"):
        return metric
    return metric.of(end) if metric.suits(end) else None
