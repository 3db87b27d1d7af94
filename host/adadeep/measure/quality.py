"""What makes samples suspect (design section 4, rule 2). Pure functions."""

from __future__ import annotations

from adadeep.core.measurement import Conditions, Launch
from adadeep.core.statistics import summarise

MAX_CLOCK_DROP = 0.10
MAX_ANCHOR_DRIFT = 0.15
MAX_LAUNCH_SPREAD = 0.25


def clock_drop(before: Conditions, after: Conditions) -> float | None:
    """How far the fastest core's clock fell, as a fraction; None where no clock can be read.

    The clock after the last run is one under load. If it is below what it was before the load,
    the device throttles; an idle clock before (lower) says nothing and gives 0.
    """
    start = max((khz for khz in before.cpu_khz if khz), default=0)
    end = max((khz for khz in after.cpu_khz if khz), default=0)
    return max(0.0, 1 - end / start) if start and end else None


def launch_spread(launches: tuple[Launch, ...]) -> float:
    """How far the medians of the launches lie apart: (largest - smallest) / smallest."""
    medians = [summarise(launch.runs_ns).median for launch in launches if launch.runs_ns]
    return max(medians) / min(medians) - 1 if medians and min(medians) > 0 else 0.0


def disturbances(
    before: Conditions,
    after: Conditions,
    launches: tuple[Launch, ...],
    anchor_drift: float | None,
) -> tuple[str, ...]:
    """Why a measurement should be repeated; empty if nothing speaks against it.

    Args:
        before: conditions before the load.
        after: conditions after the last run.
        launches: the samples.
        anchor_drift: change of the anchor around the measurement, as a fraction; None without.
    """
    reasons = []
    drop = clock_drop(before, after)
    if drop is not None and drop > MAX_CLOCK_DROP:
        reasons.append(f"the clock dropped {drop:.0%}")
    if anchor_drift is not None and abs(anchor_drift) > MAX_ANCHOR_DRIFT:
        reasons.append(f"the anchor model drifted {anchor_drift:+.0%}")
    spread = launch_spread(launches)
    if spread > MAX_LAUNCH_SPREAD:
        reasons.append(f"the launches differ by {spread:.0%}")
    return tuple(reasons)


def ratio_to_anchor(median_ms: float, anchors_ms: list[float]) -> float | None:
    """A median over the mean of the anchors measured around it; None without anchors."""
    return median_ms / (sum(anchors_ms) / len(anchors_ms)) if anchors_ms else None


def drift(anchors_ms: list[float]) -> float | None:
    """(last - first) / first of the anchors around a measurement; None with fewer than two."""
    return anchors_ms[-1] / anchors_ms[0] - 1 if len(anchors_ms) > 1 else None
