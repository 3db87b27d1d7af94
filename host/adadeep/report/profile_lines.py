"""A profile as lines for people: how much its device strays, and its layers."""

from __future__ import annotations

from collections.abc import Sequence

from adadeep.core.device_profile import DeviceProfile, ProfileEntry
from adadeep.core.estimates import LatencyEstimate
from adadeep.core.noise import NoiseModel
from adadeep.core.noise_series import deviation_at
from adadeep.core.units import format_bytes, format_ms
from adadeep.profiles.layers import layer_estimate
from adadeep.report.table_text import Column

ENTRY_COLUMNS = (
    Column("layer", wraps=True), Column("precision", rank=1), Column("median", right=True),
    Column("95 % interval", right=True, rank=2), Column("runs", right=True, rank=3),
    Column("how", wraps=True),
)  # fmt: skip
_NOISE_TAUS_S = (0.01, 0.1, 1.0, 10.0)
NOISE_COLUMNS = (
    Column("how averages stray", wraps=True),
    *(Column(f"{tau:g} s", right=True, rank=rank)
      for tau, rank in zip(_NOISE_TAUS_S, (0, 3, 0, 4), strict=True)),
    Column("placement", right=True, rank=1), Column("launch", right=True, rank=2),
)  # fmt: skip


def noise_rows(noise: NoiseModel) -> list[tuple[str, ...]]:
    """Allan deviations by how long is averaged, and what a placement and a launch change."""
    rows: list[tuple[str, ...]] = []
    for one in noise.references:
        if one.model_sha256:
            name = f"{format_ms(one.latency_ms)}, {format_bytes(one.model_bytes)}"
            launch = _share(one.launch_sd) if one.launch_df else "-"
            rows.append((name, *_curve_cells(one.curve), _share(one.placement_sd), launch))
    if noise.ratios:
        rows.append(("ratio of two", *_curve_cells(noise.ratios), "-", "-"))
    return rows


def _curve_cells(curve: Sequence[tuple[float, float]]) -> list[str]:
    """Where a curve does not reach it says nothing."""
    first, last = curve[0][0] / 2, curve[-1][0] * 2
    return [
        _share(deviation_at(tuple(curve), tau)) if first <= tau <= last else "-"
        for tau in _NOISE_TAUS_S
    ]


def _share(fraction: float) -> str:
    return f"{100 * fraction:.2g} %"


def entry_row(profile: DeviceProfile, entry: ProfileEntry) -> tuple[str, ...]:
    """A layer of the table, with the interval of the device's noise."""
    measured = entry.measurement
    if measured is None:
        return entry.key, entry.precision, "-", "-", "-", f"failed: {entry.error}"
    found = layer_estimate(profile, entry)
    threads = f"{measured.settings.threads} thread{'s' if measured.settings.threads > 1 else ''}"
    how = "; disturbed: ".join([f"measured, {threads}", *measured.disturbed[:1]])
    return (
        entry.key, entry.precision, format_ms(found.median_ms), _interval(found),
        f"{measured.runs:,}", how,
    )  # fmt: skip


def _interval(found: LatencyEstimate) -> str:
    return f"{format_ms(found.low_ms)} .. {format_ms(found.high_ms)}"
