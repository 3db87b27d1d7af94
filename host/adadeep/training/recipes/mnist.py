"""mnist: long enough for ten thousand images of one channel."""

from __future__ import annotations

from adadeep.training.recipes.supervised import Supervised

MNIST = Supervised("mnist", "300 steps of 32, 30 after a compression", 300, 30)
