"""digits: long enough for some hundred small images."""

from __future__ import annotations

from adadeep.training.recipes.supervised import Supervised

DIGITS = Supervised("digits", "200 steps of 32, 40 after a compression, 160 for a winner", 200, 40)
