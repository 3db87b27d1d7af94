"""Time as a profile's table lets expect it: what it finds, what it can't tell, its own error."""

from __future__ import annotations

import statistics
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import lsq_linear, nnls

from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.profiles.time_prior import MeasuredWay, ProfileTimePrior, fitted, measured_ways
from fakes.lenet_spec import lenet_spec
from fakes.profiled import (
    CONVS,
    DENSES,
    LAW,
    LAYERS,
    POOLS,
    entry,
    lawful,
    lawful_ms,
    moved,
    profile,
)

WAY = MeasuredWay("fake_runtime", 1)


def prior_of(*entries, way=WAY):
    return ProfileTimePrior.of(profile(*entries), way, PRECISIONS.usable())


def alone(layer, precision="float32"):
    spec = ModelSpec("one", layer.input_shape, (layer,))
    return spec.in_precision(PRECISIONS.get(precision))


def by_hand(entries, kind):
    """Coefficients of the entries, by scipy."""
    rows = [e for e in entries if e.layer.kind == kind] if kind else entries
    times = np.array([e.measurement.latency_ms for e in rows])
    amounts = np.array([[e.layer.macs, moved(e.layer, e.precision), 1.0] for e in rows])
    return by_scipy(amounts, times, min(e.measurement.latency_ms for e in entries))


def by_scipy(amounts, times, most):
    relative = amounts / times[:, None]
    sizes = relative.max(axis=0)
    sizes[sizes == 0] = 1
    bounds = [0, 0, 0], [np.inf, np.inf, most * sizes[2]]
    wanted = np.ones(len(times))
    return lsq_linear(relative / sizes, wanted, bounds, tol=1e-14, max_iter=500).x / sizes


# ---- the fit


def test_a_law_is_found_again():
    amounts = np.array([[e.macs, moved(e), 1.0] for e in CONVS])
    law = np.array(LAW[LayerKind.CONV])
    assert fitted(amounts, amounts @ law) == pytest.approx(law, rel=1e-6)


@pytest.mark.parametrize("seed", range(30))
def test_what_is_found_is_not_negative_and_is_what_scipy_finds(seed):
    rng = np.random.default_rng(seed)
    amounts = np.exp(rng.normal(size=(int(rng.integers(3, 12)), 3)) * [2, 1, 0])
    truth = rng.normal(size=3)  # negative ones, too
    times = np.abs(amounts @ truth) + 0.01
    found = fitted(amounts, times)
    assert found.min() >= 0
    exact, _ = nnls(amounts / times[:, None], np.ones(len(times)))
    assert found == pytest.approx(exact, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_a_layer_for_itself_takes_no_more_than_it_may(seed):
    rng = np.random.default_rng(seed)
    amounts = np.exp(rng.normal(size=(int(rng.integers(3, 12)), 3)) * [2, 1, 0])
    times = amounts @ [1.0, 0.5, 0.0] + rng.uniform(1, 3, len(amounts))
    most = 0.4 * times.min()
    found = fitted(amounts, times, most)
    assert 0 <= found.min() <= found[2] <= most
    assert found == pytest.approx(by_scipy(amounts, times, most), rel=1e-4, abs=1e-5)
    if fitted(amounts, times)[2] > most:
        assert found[2] == most


def test_a_column_of_nothing_takes_nothing():
    amounts = np.array([[0.0, moved(e), 1.0] for e in POOLS])
    assert fitted(amounts, amounts @ [1.0, 5e-6, 0.1]) == pytest.approx([0, 5e-6, 0.1], rel=1e-6)


def test_what_takes_less_the_more_it_is_gets_no_negative_time():
    found = fitted(np.array([[1.0, 0, 1], [2.0, 0, 1], [3.0, 0, 1]]), np.array([3.0, 2.0, 1.0]))
    assert found[0] == 0
    assert found[2] > 0


# ---- what it tells


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_layers_that_were_not_measured_take_what_the_law_says(precision):
    prior = prior_of(*lawful())
    for old in (CONVS[0], DENSES[0]):
        grown = replace(old, weights=3 * old.weights, nonzero_weights=3 * old.weights)
        expected = lawful_ms(grown, precision)
        assert prior.latency_ms(alone(grown, precision)) == pytest.approx(expected, rel=1e-4)


def test_a_network_takes_the_sum_and_flattening_nothing():
    spec = lenet_spec(8)
    prior = prior_of(*lawful([*CONVS, *DENSES, *POOLS, *POOLS[:2]]))
    layers = [layer for layer in spec.layers if layer.kind is not LayerKind.RESHAPE]
    assert len(layers) < len(spec.layers)
    assert prior.latency_ms(spec) == pytest.approx(sum(map(lawful_ms, layers)), rel=1e-4)


def test_what_large_layers_waste_is_not_taken_for_what_small_ones_need():
    convs = [entry(c, lawful_ms(c) + 40.0 * n) for n, c in enumerate(CONVS, 1)]
    quick = [entry(layer, lawful_ms(layer)) for layer in DENSES]
    quickest = min(e.measurement.latency_ms for e in quick)
    nothing = LayerSpec("c", LayerKind.CONV, (1, 1, 1), (1, 1, 1), (1, 1), (1, 1), "same")
    assert prior_of(*convs).latency_ms(alone(nothing)) > 10 * quickest
    assert prior_of(*convs, *quick).latency_ms(alone(nothing)) <= 1.1 * quickest


def test_what_is_not_stored_is_no_work_and_not_moved():
    old = CONVS[3]  # mostly weights
    sparse = replace(old, nonzero_weights=old.weights // 10)
    a, b, c = LAW[LayerKind.CONV]
    left_out = old.weights - sparse.nonzero_weights
    expected = a * sparse.macs + b * (moved(old) - 4 * left_out) + c
    assert prior_of(*lawful()).latency_ms(alone(sparse)) == pytest.approx(expected, rel=1e-4)


def test_a_kind_of_which_too_little_was_measured_is_told_by_all_kinds():
    entries = lawful([*CONVS, *DENSES[:4], *POOLS], ("float32",))
    a, b, c = by_hand(entries, None)
    prior = prior_of(*entries)
    depthwise = replace(CONVS[2], kind=LayerKind.DEPTHWISE)
    for layer in (DENSES[4], POOLS[0], depthwise):
        expected = a * layer.macs + b * moved(layer) + c
        assert prior.latency_ms(alone(layer)) == pytest.approx(expected, rel=1e-6)
    assert prior.latency_ms(alone(CONVS[0])) == pytest.approx(lawful_ms(CONVS[0]), rel=1e-4)


def test_a_precision_that_was_not_measured_is_not_told():
    prior = prior_of(*lawful(precisions=("float32",)))
    assert prior.latency_ms(alone(CONVS[0])) is not None
    assert prior.latency_ms(alone(CONVS[0], "int8")) is None
    few = prior_of(*lawful(precisions=("float32",)), *lawful(CONVS[:2], ("int8",)))
    assert few.latency_ms(alone(CONVS[0], "int8")) is None


def test_a_layer_of_which_nobody_knows_what_it_does_is_not_told():
    prior = prior_of(*lawful())
    other = LayerSpec("strange", LayerKind.OTHER, (10,), (10,))
    assert prior.latency_ms(alone(other)) is None


def test_what_failed_is_suspect_or_was_measured_otherwise_does_not_take_part():
    good = lawful(precisions=("float32",))
    slow = [entry(layer, 1000.0) for layer in LAYERS]
    bad = (
        replace(good[0], measurement=None, error="out of memory"),
        *(replace(e, measurement=replace(e.measurement, disturbed=("hot",))) for e in slow),
        *(entry(layer, 1000.0, threads=4) for layer in LAYERS),
        *(replace(e, precision="of-a-plug-in") for e in slow),
        *(
            replace(e, measurement=replace(e.measurement, agent=replace(a, runtime="other")))
            for e in slow
            for a in [e.measurement.agent]
        ),
    )
    prior, alone_good = prior_of(*bad, *good), prior_of(*good)
    for layer in LAYERS:
        assert prior.latency_ms(alone(layer)) == alone_good.latency_ms(alone(layer))
    assert prior_of(*bad) is None
    four = prior_of(*bad, *good, way=MeasuredWay("fake_runtime", 4))
    assert four.latency_ms(alone(CONVS[0])) > 500


def test_too_few_layers_are_no_prior():
    assert prior_of() is None
    assert prior_of(*lawful(CONVS[:2], ("float32",))) is None
    assert prior_of(*lawful(CONVS[:1]), *lawful(DENSES[:1])) is None


def test_the_ways_of_a_profile_are_told_each_once():
    found = profile(*lawful(), *lawful(threads=4))
    assert measured_ways(found) == (WAY, MeasuredWay("fake_runtime", 4))
    assert measured_ways(profile()) == ()


# ---- its own error


def test_a_table_that_keeps_a_law_has_no_error():
    more = replace(DENSES[0], weights=9000, nonzero_weights=9000)
    layers = [*CONVS, *DENSES, more]  # without any one, each kind still has enough
    assert prior_of(*lawful(layers)).relative_error == pytest.approx(0, abs=1e-4)


def test_the_error_is_that_of_each_layer_told_by_the_others():
    noise = iter(np.random.default_rng(4).uniform(0.7, 1.5, 100))
    layers = [*CONVS, *DENSES, *POOLS]  # of 6, 5 and 3: without one, those of 5 and 3 are too few
    entries = [entry(layer, lawful_ms(layer) * next(noise)) for layer in layers]
    errors = []
    for place, one in enumerate(entries):
        others = [*entries[:place], *entries[place + 1 :]]
        kind = one.layer.kind if one.layer.kind is LayerKind.CONV else None
        a, b, c = by_hand(others, kind)
        expected = a * one.layer.macs + b * moved(one.layer) + c
        errors.append(abs(expected / one.measurement.latency_ms - 1))
    found = prior_of(*entries).relative_error
    assert found == pytest.approx(statistics.median(errors), rel=1e-6)
    assert found > 0.05


def test_of_three_layers_none_can_be_left_out():
    assert prior_of(*lawful(CONVS[:3], ("float32",))).relative_error is None
    assert prior_of(*lawful(CONVS[:4], ("float32",))).relative_error is not None
