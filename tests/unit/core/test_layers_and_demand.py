import math
from dataclasses import replace

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.cost import Provenance, Quantity
from adadeep.core.demand import UserDemand, weights_for_device
from adadeep.core.errors import ConfigError
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from fakes.clock import HandClock

CONV = LayerSpec("c", LayerKind.CONV, (40, 40, 1), (40, 40, 32), (5, 5), (1, 1), "same",
                 weights=832, nonzero_weights=832)  # fmt: skip
DEPTHWISE = LayerSpec("d", LayerKind.DEPTHWISE, (8, 8, 16), (8, 8, 16), (3, 3), (1, 1), "same",
                      weights=160, nonzero_weights=160)  # fmt: skip
DENSE = LayerSpec("f", LayerKind.DENSE, (100,), (10,), weights=1000, nonzero_weights=100)


def test_macs_are_counted_by_kind_and_sparse_ones_by_what_is_stored():
    assert CONV.macs == 40 * 40 * 32 * 25
    assert DEPTHWISE.macs == 8 * 8 * 16 * 9
    assert DENSE.macs == 100  # a tenth of 1000 multiplications is stored


def test_storage_is_elements_times_bits_and_reshapes_store_nothing():
    reshape = LayerSpec("r", LayerKind.RESHAPE, (2, 2), (4,))
    int8 = LayerSpec("g", LayerKind.DENSE, (4,), (2,), weights=8, nonzero_weights=8, weight_bits=8)
    model = ModelSpec("m", (2, 2), (reshape, int8))
    assert model.parameter_storage_bytes == 8
    assert model.activation_storage_bytes == 2 * 4
    assert model.layer("g") is int8
    with pytest.raises(KeyError):
        model.layer("nothing")


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": -1}, {"nonzero_weights": 10**400}, {"weight_bits": 0}, {"activation_bits": 99},
        {"output_shape": (40, -40, 32)}, {"input_shape": (10**9, 1, 1)}, {"kernel": (-5, 5)},
        {"output_shape": (2,) * 7}, {"flattened_from": (-1,)}, {"kernel": None},
        {"input_shape": ()}, {"output_shape": ()},
    ],
    ids=str,
)  # fmt: skip
def test_a_layer_whose_costs_can_not_be_is_refused(wrong):
    """Layers come out of profiles and journals; what is derived of them must be sound."""
    with pytest.raises(ValueError, match=r"not from|has no"):
        replace(CONV, **wrong)


def test_a_network_whose_costs_can_not_be_is_refused():
    huge = replace(CONV, input_shape=(10**8,) * 3, output_shape=(10**8,) * 3, kernel=(10**8,) * 2)
    with pytest.raises(ValueError, match="network's cost"):
        ModelSpec("m", (1,), (huge,))


NO_WEIGHTS = dict.fromkeys(
    ("accuracy_weight", "energy_weight", "latency_weight", "storage_weight"), 0.0
)


@pytest.mark.parametrize(
    "wrong",
    [{"max_latency_ms": 0}, {"max_energy_mj": -1}, {"max_storage_bytes": float("inf")},
     {"max_latency_ms": math.nan}, {"max_accuracy_loss": math.nan},
     {"accuracy_weight": -0.1}, {"max_accuracy_loss": 1.5}, {"latency_weight": math.nan},
     {"energy_weight": math.inf}, NO_WEIGHTS],
)  # fmt: skip
def test_a_demand_that_can_not_be_is_refused(wrong):
    with pytest.raises(ConfigError) as caught:
        UserDemand(**wrong)
    assert caught.value.exit_code == 2


def test_one_weight_that_is_more_than_0_is_enough():
    assert UserDemand(**{**NO_WEIGHTS, "storage_weight": 0.1}).storage_weight == 0.1


def test_weights_follow_the_rule_of_table_7():
    watch = weights_for_device(battery_mah=420, cache_mb=1)
    assert watch["energy_weight"] == pytest.approx(3580 / 4000)
    assert watch["storage_weight"] == pytest.approx(7 / 8)
    phone = weights_for_device(battery_mah=4100, cache_mb=8)
    assert (phone["energy_weight"], phone["storage_weight"]) == (0.6, 0.6)
    for weights in (watch, phone, weights_for_device(None, None)):
        assert weights["accuracy_weight"] + weights["energy_weight"] == pytest.approx(1)
        assert weights["latency_weight"] + weights["storage_weight"] == pytest.approx(1)


def test_a_number_that_is_not_there_can_not_be_called_measured():
    assert Quantity(None, Provenance.UNAVAILABLE).value is None
    with pytest.raises(ValueError, match="does not go with"):
        Quantity(None, Provenance.MEASURED)
    with pytest.raises(ValueError, match="does not go with"):
        Quantity(0.0, Provenance.UNAVAILABLE)
    assert Provenance.ANALYTIC.is_modelled
    assert not Provenance.MEASURED.is_modelled


def test_a_deadline_passes_down_what_is_left():
    clock = HandClock()
    deadline = Deadline.after(10, clock)
    clock.sleep(4)
    assert deadline.remaining == 6
    assert deadline.sooner(2).remaining == 2
    assert deadline.sooner(60).remaining == 6
    clock.sleep(7)
    assert deadline.expired
    assert deadline.remaining == 0
