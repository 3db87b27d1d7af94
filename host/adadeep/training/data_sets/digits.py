"""digits: scikit-learn's bundled digits, 1,797 real 8x8 images."""

from __future__ import annotations

import numpy as np

from adadeep.core.task import Data
from adadeep.training.data_sets import splits


class Digits:
    """50 % train, 30 % validate, 20 % test; a third of the validating ones are held back."""

    name = "digits"
    title = "Handwritten digits, 8x8 (scikit-learn)"
    split = 2

    def load(self) -> Data:
        """From the installed package."""
        from sklearn.datasets import load_digits

        bundle = load_digits()
        x = splits.images(bundle.images, white=16)
        y = np.asarray(bundle.target, dtype=np.int64)
        test, held, val, train = splits.parts(len(x), 0.2, 0.1, 0.2)
        return Data(
            x_train=x[train], y_train=y[train],
            x_val=x[val], y_val=y[val],
            x_held=x[held], y_held=y[held],
            x_test=x[test], y_test=y[test],
            class_names=tuple(str(digit) for digit in range(10)),
            source="scikit-learn load_digits",
        )  # fmt: skip


DIGITS = Digits()
