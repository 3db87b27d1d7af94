"""Derivatives by central differences, for tests of curves."""

import numpy as np

STEP = 1e-6


def assert_slopes_are_those_of_the_values(curve, plans, weights, atol):
    """Of a `Curve`, by each of its weights."""
    of_plans = curve.of(plans)
    found = of_plans.slopes(weights)
    for place in range(len(weights)):
        ahead, behind = weights.copy(), weights.copy()
        ahead[place] += STEP
        behind[place] -= STEP
        rise = of_plans.values(ahead) - of_plans.values(behind)
        np.testing.assert_allclose(found[:, place], rise / (2 * STEP), atol=atol)
