"""Derivatives by central differences, for tests of curves."""

import numpy as np

STEP = 1e-6


def assert_slopes_are_those_of_the_values(curve, plans, weights, atol):
    """Of a `Curve`, by each of its weights."""
    found = curve.slopes(plans, weights)
    for place in range(len(weights)):
        ahead, behind = weights.copy(), weights.copy()
        ahead[place] += STEP
        behind[place] -= STEP
        rise = curve.values(plans, ahead) - curve.values(plans, behind)
        np.testing.assert_allclose(found[:, place], rise / (2 * STEP), atol=atol)
