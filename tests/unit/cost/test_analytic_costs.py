"""The paper's formulas, against the paper's own numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.cost.formulas import energy_mj, latency_ms


def conv(inputs: int, outputs: int, size: int) -> LayerSpec:
    weights = 25 * inputs * outputs + outputs
    return LayerSpec(
        f"conv{outputs}", LayerKind.CONV, (size, size, inputs), (size, size, outputs),
        kernel=(5, 5), weights=weights, nonzero_weights=weights,
    )  # fmt: skip


def pool(channels: int, size: int) -> LayerSpec:
    shape = (size, size, channels), (size // 2, size // 2, channels)
    return LayerSpec(f"pool{channels}", LayerKind.POOL, *shape)


def dense(inputs: int, outputs: int) -> LayerSpec:
    weights = inputs * outputs + outputs
    return LayerSpec(
        f"fc{outputs}", LayerKind.DENSE, (inputs,), (outputs,),
        weights=weights, nonzero_weights=weights,
    )  # fmt: skip


LENET_UBISOUND = ModelSpec(
    "lenet",
    (40, 40, 1),
    (
        conv(1, 32, 40),
        pool(32, 40),
        conv(32, 64, 20),
        pool(64, 20),
        LayerSpec("flatten", LayerKind.RESHAPE, (10, 10, 64), (6400,)),
        dense(6400, 1024),
        dense(1024, 11),
    ),
)


def test_lenet_on_ubisound_costs_what_section_533_says() -> None:
    assert LENET_UBISOUND.macs == 28_324_864
    assert LENET_UBISOUND.parameter_storage_bytes / 2**20 == pytest.approx(25.2, abs=0.05)
    assert 4.3 <= energy_mj(LENET_UBISOUND) <= 4.65


def test_energy_is_the_sum_of_eq_5() -> None:
    layer = replace(dense(100, 10), nonzero_weights=1010)
    spec = ModelSpec("one", (100,), (layer,))
    assert energy_mj(spec) == pytest.approx((1000 + 6 * 1010 + 200 * 10) * 52.8e-12 * 1e3)


def test_int8_moves_a_quarter_of_the_words() -> None:
    layer = dense(100, 10)
    narrow = replace(layer, weight_bits=8, activation_bits=8)
    moved = energy_mj(ModelSpec("f", (100,), (layer,))) - 1000 * 52.8e-9
    moved_int8 = energy_mj(ModelSpec("q", (100,), (narrow,))) - 1000 * 52.8e-9
    assert moved_int8 == pytest.approx(moved / 4)


def test_latency_is_macs_over_what_the_device_computes() -> None:
    assert latency_ms(LENET_UBISOUND, 28_324_864e2) == pytest.approx(10.0)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_senseless_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="macs_per_second"):
        latency_ms(LENET_UBISOUND, rate)
