"""Tables made by a formula, redrawn for every seed: conv2 (3,528 plans) and conv6 (4.6 million).

Each choice saves time, storage and energy and loses accuracy, by layer and setting; losses add up
faster than linearly. conv2 is drawn as it was in version 0.2. On conv6 the choices of neighbouring
layers interact as on recorded LeNets, and int8 loses and saves about what it does there, another
share of time on each layer: as drawn before, int8 alone was within 3.2 % of the optimum. A sampler
hears the truth: there are no samples, and no noise.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.device import DeviceFacts
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.search import KnownCosts, TargetKnowledge
from adadeep.core.space import SearchSpace, build_space
from adadeep.core.trial import Trial, TrialState
from search.table import Columns, Floats

PRECISIONS = ("float32", "int8")
ACCURACY, LAYER_MS, MS_PER_MAC = 0.98, 0.01, 1e-8
INT8_TIME, INT8_SIZE, INT8_LOSS_FACTOR, INT8_LOSS = 0.45, 0.25, 1.4, 0.003
# Of conv6: medians and spreads of factors; losses are shares of accuracy. As on LeNets recorded of
# digits: there int8 loses nothing that 897 samples show, nor after some choices more than after
# others, and takes 0.94 of the time (a larger network gains more). Beyond losses' adding up faster
# than linearly, two choices together lose 0.14 +- 0.57 (training 0) and 0.26 +- 0.20 (training 1)
# times the geometric mean of what each loses, the noise of so few samples taken out; no two gain.
INT8_OWN_LOSS, INT8_OWN_SPREAD = 0.002, 0.7
INT8_OWN_FACTOR, INT8_FACTOR_SPREAD = 1.1, 0.2
INT8_OWN_TIME, INT8_TIME_SPREAD = 0.65, 0.25
PAIR_MEAN, PAIR_SPREAD = 0.2, 0.43
MACS_SPREAD = 0.3  # how far time is from what MACs tell, by choice


@dataclass
class TableTechnique:
    """A technique of the table: settings and the kinds of layer that take it."""

    name: str
    title: str
    kinds: tuple[LayerKind, ...]
    settings: tuple[LayerChoice, ...]
    training_factor: int = 1
    replaces_following: bool = False

    def applies_to(self, layer):
        return layer.kind in self.kinds

    def choices(self, _layer):
        return self.settings

    def apply(self, *_arguments):
        raise NotImplementedError("a table has no networks")

    def outline(self, *_arguments):
        return None  # a table has no networks: no choice is refused, and nothing is known


def layer_list(depth: int) -> tuple[LayerSpec, ...]:
    """`depth` convolutions and two dense layers."""
    widths = [32 * 2 ** min(number, 3) for number in range(depth)]
    extents = [max(32 >> number, 4) for number in range(depth + 1)]
    return stacked_layers(3, widths, extents, (512, 10))


def stacked_layers(
    channels: int, widths: Sequence[int], extents: Sequence[int], units: Sequence[int]
) -> tuple[LayerSpec, ...]:
    """Convolutions, and dense layers behind them.

    Args:
        channels: of the input.
        widths: channels that each convolution gives.
        extents: height and width of what each takes; and of what the first dense layer takes.
        units: of the dense layers.
    """
    layers = []
    for number, (out, size) in enumerate(zip(widths, extents, strict=False)):
        weights = 9 * channels * out
        layers.append(
            LayerSpec(
                f"conv{number}", LayerKind.CONV, (size, size, channels), (size, size, out),
                (3, 3), (1, 1), "same", weights=weights, nonzero_weights=weights,
            )
        )  # fmt: skip
        channels = out
    features = extents[-1] ** 2 * channels
    for number, count in enumerate(units):
        weights = features * count
        layers.append(
            LayerSpec(
                f"fc{number}", LayerKind.DENSE, (features,), (count,),
                weights=weights, nonzero_weights=weights,
            )
        )  # fmt: skip
        features = count
    return tuple(layers)


def choices(name: str, count: int) -> tuple[LayerChoice, ...]:
    return tuple(LayerChoice(name, (("setting", number),)) for number in range(count))


@functools.cache
def table_space(depth: int) -> SearchSpace:
    """The space of the table."""
    techniques = [
        TableTechnique("W1f", "", (LayerKind.DENSE,), choices("W1f", 3)),
        TableTechnique("W3", "", (LayerKind.DENSE,), choices("W3", 3)),
        TableTechnique("C2", "", (LayerKind.CONV,), choices("C2", 2)),
        TableTechnique("L1", "", (LayerKind.CONV,), choices("L1", 3)),
    ]
    layers = layer_list(depth)
    model = ModelSpec("table", layers[0].input_shape, layers)
    return build_space(model, techniques, PRECISIONS)


@dataclass(frozen=True)
class Parts:
    """What a table is summed from, by precision, layer and action.

    Attributes:
        time_ms: (2, layers, actions).
        storage_bytes: likewise.
        loss: likewise, before what makes losses add up faster than linearly.
        whole_loss: of a precision alone; (2,).
        pair_loss: of a layer's action before the next layer's, any precision;
            (layers - 1, actions, actions).
        macs: (layers, actions).
    """

    time_ms: Floats
    storage_bytes: Floats
    loss: Floats
    whole_loss: Floats
    pair_loss: Floats
    macs: Floats


def draw(space: SearchSpace, seed: int, interacts: bool) -> Parts:
    """The parts of the table of a seed."""
    rng = np.random.default_rng(seed)
    shape = (len(space.points), len(space.actions))
    speed = rng.uniform(0.15, 1.1, shape)  # time of the layer over what it took before
    size = rng.uniform(0.05, 0.9, shape)
    strength = 2 - speed.clip(max=1) - size  # what saves more loses more
    loss = 0.004 * strength**2 * rng.lognormal(0, 0.8, shape)
    speed[:, 0] = size[:, 0] = 1
    loss[:, 0] = 0
    layers = [point.layer for point in space.points if point.layer is not None]
    count = len(layers)
    speed, size, loss = speed[:count], size[:count], loss[:count]
    macs = np.array([[float(layer.macs)] for layer in layers])
    weights = np.array([[float(layer.weights)] for layer in layers])
    int8_time, int8_factor = np.full_like(speed, INT8_TIME), np.full_like(loss, INT8_LOSS_FACTOR)
    int8_loss = INT8_LOSS
    pairs = np.zeros((count - 1, shape[1], shape[1]))
    if interacts:
        int8_loss = INT8_OWN_LOSS * rng.lognormal(0, INT8_OWN_SPREAD)
        int8_time = INT8_OWN_TIME * rng.lognormal(0, INT8_TIME_SPREAD, speed.shape)
        int8_factor = INT8_OWN_FACTOR * rng.lognormal(0, INT8_FACTOR_SPREAD, loss.shape)
        both = np.sqrt(loss[:-1, :, np.newaxis] * loss[1:, np.newaxis, :])
        pairs = both * rng.normal(PAIR_MEAN, PAIR_SPREAD, both.shape)
    told = np.exp(-MACS_SPREAD * np.random.default_rng([seed, 1]).standard_normal(speed.shape))
    told[:, 0] = 1
    time_ms, overhead = MS_PER_MAC * macs * speed, LAYER_MS
    return Parts(
        time_ms=np.stack([time_ms + overhead, (time_ms + overhead) * int8_time]),
        storage_bytes=np.stack([4 * weights * size, 4 * weights * size * INT8_SIZE]),
        loss=np.stack([loss, loss * int8_factor]),
        whole_loss=np.array([0.0, int8_loss]),
        pair_loss=pairs,
        macs=macs * (speed * told).clip(0.02, 1),
    )


class FormulaTable:
    """Accuracy and cost of every plan; the same for the same seed.

    Args:
        depth: convolutions.
        seed: of what is drawn.
        interacts: whether choices interact, and int8 loses what it does on recorded networks.
        space: of plans of `layer_list(depth)`; None: the table's.
    """

    def __init__(
        self, depth: int, seed: int, interacts: bool, space: SearchSpace | None = None
    ) -> None:
        self.name = f"conv{depth} {seed}"
        self.space = space or table_space(depth)
        self.knowledge = TargetKnowledge(DeviceFacts("table", "adb", kind="board"))
        self._parts = draw(self.space, seed, interacts)
        self._columns: Columns | None = None
        macs = self._parts.macs.tolist()  # a sampler asks for known costs a thousand times a plan
        self._known = [(storage.tolist(), macs) for storage in self._parts.storage_bytes]
        layers = [point.layer.name for point in self.space.points if point.layer is not None]
        self._layers = {name: position for position, name in enumerate(layers)}
        self._numbers = {action: number for number, action in enumerate(self.space.actions)}

    def known_costs(self, plan: CompressionPlan) -> KnownCosts:
        """S_p and MACs; the energy depends on the time, and is learned."""
        precision, actions = self._decisions(plan)
        bytes_of, macs_of = self._known[precision]
        storage = sum(layer[action] for layer, action in zip(bytes_of, actions, strict=True))
        macs = round(sum(layer[action] for layer, action in zip(macs_of, actions, strict=True)))
        beside = 4000 + 1500 * len(self.space.model.layers)
        return KnownCosts(macs, storage, 0.0, None, storage + beside)

    def hear(self, plan: CompressionPlan, seed: int) -> Trial:
        """The truth."""
        del seed
        accuracy, cost = self.judge(plan, "")
        return Trial(plan, TrialState.COMPLETE, accuracy, cost)

    def judge(self, plan: CompressionPlan, part: str) -> tuple[float, Cost]:
        """The same on all parts."""
        del part
        precision, actions = self._decisions(plan)
        parts = self._parts
        lost = _at(parts.loss[precision], actions).sum() + parts.whole_loss[precision]
        lost += parts.pair_loss[np.arange(len(actions) - 1), actions[:-1], actions[1:]].sum()
        time_ms = float(_at(parts.time_ms[precision], actions).sum())
        known = self.known_costs(plan)
        return float(_accuracy(lost)), Cost(
            Quantity(time_ms, Provenance.MEASURED, "table"),
            Quantity(_energy(time_ms, known.storage_bytes), Provenance.MEASURED, "table"),
            known.storage_bytes, 0.0, None, known.macs,
        )  # fmt: skip

    def columns(self, part: str) -> Columns:
        """All plans, in the order of `itertools.product`, the precision first."""
        del part
        if self._columns is None:
            time_ms = self._sums(self._parts.time_ms)
            storage = self._sums(self._parts.storage_bytes)
            lost = self._sums(self._parts.loss, self._parts.pair_loss, self._parts.whole_loss)
            energy = _energy(time_ms, storage)
            self._columns = Columns(_accuracy(lost), energy, time_ms, storage)
        return self._columns

    def _sums(
        self, values: Floats, pairs: Floats | None = None, whole: Floats | None = None
    ) -> Floats:
        """Of every plan; (2 * plans of a precision,)."""
        options = [list(point.options) for point in self.space.points if point.layer is not None]
        found = []
        for precision, of_layers in enumerate(values):
            total = of_layers[0, options[0]] + (0 if whole is None else whole[precision])
            for layer in range(1, len(options)):
                total = total[..., np.newaxis] + of_layers[layer, options[layer]]
                if pairs is not None:
                    total += pairs[layer - 1][np.ix_(options[layer - 1], options[layer])]
            found.append(total.ravel())
        return np.concatenate(found)

    def _decisions(self, plan: CompressionPlan) -> tuple[int, list[int]]:
        """The number of the precision, and the action of each layer."""
        actions = [0] * len(self._layers)
        for layer, choice in plan.choices:
            actions[self._layers[layer]] = self._numbers[choice]
        return PRECISIONS.index(plan.precision), actions


def _at(values: Floats, actions: list[int]) -> Floats:
    return values[np.arange(len(actions)), actions]


def _accuracy(lost: Floats) -> Floats:
    return (ACCURACY - lost - 40 * np.maximum(lost, 0) ** 2).clip(0.1, 1.0)


def _energy(time_ms, storage_bytes):
    return 0.2 * time_ms + 1e-6 * storage_bytes


@dataclass(frozen=True)
class FormulaSource:
    """Draws the tables of a depth."""

    depth: int
    interacts: bool

    @property
    def name(self) -> str:
        return f"conv{self.depth}"

    @property
    def group(self) -> str:
        return self.name

    @property
    def fingerprint(self) -> str:
        return _fingerprint(self.depth, self.interacts)

    def draw(self, seed: int) -> FormulaTable:
        return _drawn(self.depth, seed, self.interacts)


@functools.lru_cache(maxsize=2)  # a large one's columns take 150 MB
def _drawn(depth: int, seed: int, interacts: bool) -> FormulaTable:
    return FormulaTable(depth, seed, interacts)


@functools.cache
def _fingerprint(depth: int, interacts: bool) -> str:
    """Of the parts of the first table, and of how they are summed."""
    table = FormulaTable(depth, 0, interacts)
    digest = hashlib.sha256()
    for values in asdict(draw(table.space, 0, interacts)).values():
        digest.update(np.round(values, 9).tobytes())
    quality, cost = table.judge(CompressionPlan((), "int8"), "")
    told = quality, cost.latency_ms.value, cost.energy_mj.value, cost.storage_bytes, cost.macs
    digest.update(repr(told).encode())  # not of the objects: these get fields, tables don't change
    return digest.hexdigest()[:16]


SOURCES = (FormulaSource(2, interacts=False), FormulaSource(6, interacts=True))
