"""mnist: long enough for ten thousand images of one channel."""

from __future__ import annotations

from adadeep.training.recipes.supervised import Supervised

MNIST = Supervised(
    "mnist",
    "900 steps of 128, images moved; 30 of 32 after a compression, 480 for a winner",
    base_steps=900,
    fine_tune_steps=30,
    base_rate=2e-3,
    full_steps=480,
    base_batch_size=128,
    shift=2,
)
