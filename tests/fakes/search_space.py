"""What can be decided in a space, written out."""

import numpy as np


def every_list(space):
    """All lists of decisions, by the masks alone."""
    lists = [()]
    for _ in space.points:
        lists = [(*d, int(n)) for d in lists for n in np.flatnonzero(space.mask(d))]
    return lists
