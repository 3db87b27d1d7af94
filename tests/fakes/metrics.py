"""A metric that is no accuracy: not right or wrong, lower is better, and not from 0 to 1."""

import numpy as np


class Error:
    """How far the first output is from the label, up to 10."""

    name = "error"
    title = "mean error"
    higher_is_better = False
    low = 0.0
    high = 10.0
    is_binary = False
    least_agreement = 0.9

    def scores(self, outputs, labels):
        far = np.abs(np.asarray(outputs, np.float64)[:, 0] - labels)
        return np.nan_to_num(far, nan=self.high).clip(self.low, self.high)

    def agreement(self, a, b):
        return float(np.mean(self.scores(a, b[:, 0]) < 0.1))


ERROR = Error()
