"""What is known of a plan before it is tried, and whether that rules it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from adadeep.compress.apply import outline_plan
from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.layers import LayerSpec, ModelSpec
from adadeep.core.plan import CompressionPlan
from adadeep.core.search import Goal, KnownCosts
from adadeep.core.units import format_bytes, format_mj
from adadeep.cost.formulas import energy_mj

_TOLERANCE = 1e-9  # as of a reward: the initial network keeps its own limits

# What a .tflite takes beside its weights, seen on LeNets and a little more: names, shapes, buffers
# and operators; scales, zero points and wider biases of quantised channels (28 bytes were seen);
# indices of sparse kernels.
_FILE_BYTES, _LAYER_BYTES, _CHANNEL_BYTES, _INDEX_BYTES = 4000, 1500, 32, 4
_PLAIN_BITS = 32


class KnownBeforehand:
    """What formulas tell of plans of a network.

    Args:
        initial: the network that plans compress.
        knows_energy: whether E is what Eq. 5 gives; not where it is measured.
    """

    def __init__(self, initial: ModelSpec, knows_energy: bool) -> None:
        self._initial = initial
        self._knows_energy = knows_energy
        self._found: dict[str, KnownCosts | None] = {}

    def __call__(self, plan: CompressionPlan) -> KnownCosts | None:
        """Of a plan; None where a technique can't tell, or does not apply.

        Raises:
            ConfigError: an unknown technique or precision.
        """
        if plan.key not in self._found:
            spec = self.network(plan)
            self._found[plan.key] = None if spec is None else self._of(spec)
        return self._found[plan.key]

    def network(self, plan: CompressionPlan) -> ModelSpec | None:
        """What a plan makes, in its precision; None as of a call.

        Raises:
            ConfigError: an unknown technique or precision.
        """
        try:
            outline = outline_plan(self._initial, plan, TECHNIQUES)
        except TechniqueNotApplicable:
            return None
        return None if outline is None else outline.in_precision(PRECISIONS.get(plan.precision))

    def at_least(self, plan: CompressionPlan) -> KnownCosts | None:
        """A bound: where a technique can't tell, what the layers before its own cost.

        A technique changes none of these. None where not even that is known.

        Raises:
            ConfigError: an unknown technique or precision.
        """
        known = self(plan)
        names = [layer.name for layer in self._initial.layers]
        if known is not None or any(name not in names for name, _ in plan.choices):
            return known
        choices = sorted(plan.choices, key=lambda pair: names.index(pair[0]))
        for count in range(len(choices) - 1, -1, -1):
            before = CompressionPlan(tuple(choices[:count]), plan.precision)
            if self(before) is not None:
                return self._of_front(before, choices[count][0])
        return None

    def _of_front(self, plan: CompressionPlan, layer: str) -> KnownCosts | None:
        """Of the layers before one, in what a plan that can be outlined makes."""
        outline = self.network(plan)
        names = [one.name for one in outline.layers] if outline else []
        if outline is None or layer not in names:
            return None
        front = replace(outline, layers=outline.layers[: names.index(layer)])
        return self._of(front)

    def _of(self, spec: ModelSpec) -> KnownCosts:
        return KnownCosts(
            macs=spec.macs,
            storage_bytes=spec.parameter_storage_bytes,
            activation_bytes=spec.activation_storage_bytes,
            energy_mj=energy_mj(spec) if self._knows_energy else None,
            file_bytes=_file_bytes(spec),
        )


def _file_bytes(spec: ModelSpec) -> float:
    beside = sum(_LAYER_BYTES + _beside_weights(layer) for layer in spec.layers)
    return spec.parameter_storage_bytes + _FILE_BYTES + beside


def _beside_weights(layer: LayerSpec) -> int:
    if not layer.weights:
        return 0
    indices = layer.nonzero_weights if layer.nonzero_weights < layer.weights else 0
    channels = layer.output_shape[-1] if layer.weight_bits < _PLAIN_BITS else 0
    return indices * _INDEX_BYTES + channels * _CHANNEL_BYTES


@dataclass(frozen=True, slots=True)
class Skip:
    """Why a plan is not tried.

    Attributes:
        reason: for people.
        violations: by target key, how much the known costs break the limits; each more than 0.
    """

    reason: str
    violations: Mapping[str, float]


def ruled_out(
    plan: CompressionPlan,
    goals: Sequence[Goal],
    known_costs: Callable[[CompressionPlan], KnownCosts | None],
) -> Skip | None:
    """Whether known costs break a limit of every goal; None if some goal may be met."""
    known = known_costs(plan)
    if known is None:
        return None
    found = [_broken(known, goal) for goal in goals]
    if not all(found):
        return None
    return Skip(
        "; ".join(dict.fromkeys(text for broken in found for text, _ in broken)),
        {
            goal.target: sum(share for _, share in broken)
            for goal, broken in zip(goals, found, strict=True)
        },
    )


def _broken(known: KnownCosts, goal: Goal) -> list[tuple[str, float]]:
    """The limits that are broken: a text and the share by which."""
    limits = goal.limits
    pairs = [("S_p", known.storage_bytes, limits.max_storage_bytes, format_bytes)]
    if known.energy_mj is not None:
        pairs.append(("E", known.energy_mj, limits.max_energy_mj, format_mj))
    return [
        (f"{name} would be {shown(value)}, {shown(limit)} allowed", value / limit - 1)
        for name, value, limit, shown in pairs
        if value > limit * (1 + _TOLERANCE)
    ]
