"""The matrix approximations that weights are inherited by. Numpy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

# Correlation of neighbouring elements of a feature map. Ordinary image statistics; used only to
# weigh the taps of a kernel against each other where a smaller one must stand in for it.
_NEIGHBOUR_CORRELATION = 0.7

# Of inputs that samples do not show, over the mean of those that they do; see `weighted_svd`.
_UNSEEN_WEIGHT = 1e-2

_SEMI_NMF_ROUNDS = 100
_MANY_ROWS = 64  # from there on the exact pseudo-inverse of every round is too slow
# Then fewer rounds do, and fewer still of a factor of as many columns, which spans what matters
# from the start: Fire layers in a trained U-Net's 128 channels lose no more than after 100.
_ROUNDS_OF_MANY_ROWS, _ROUNDS_OF_MANY_COLUMNS = 50, 20


def truncated_svd(matrix: npt.NDArray[np.floating], rank: int) -> tuple[Matrix, Matrix]:
    """The best approximation of a rank, as (left, right) with matrix ~ left @ right.

    By the eigenvectors of the Gram matrix of the shorter side, which costs a fraction of a full
    SVD; in float64 the loss of accuracy stays far below float32's. The singular values are
    shared evenly between the factors, so that both train at the same pace.

    Args:
        matrix: (m, n).
        rank: at most min(m, n).
    """
    if matrix.shape[0] < matrix.shape[1]:
        right, left = truncated_svd(matrix.T, rank)
        return left.T, right.T
    wide = np.asarray(matrix, dtype=np.float64)
    _, vectors = np.linalg.eigh(wide.T @ wide)
    basis = vectors[:, ::-1][:, :rank]
    left = wide @ basis
    scale = np.sqrt(np.maximum(np.linalg.norm(left, axis=0), np.finfo(np.float64).tiny))
    return left / scale, (basis * scale).T


def weighted_svd(
    matrix: npt.NDArray[np.floating], rank: int, inputs: npt.NDArray[np.floating]
) -> tuple[Matrix, Matrix]:
    """The matrices (left, right) of a rank with inputs @ matrix ~ inputs @ left @ right.

    The best approximation of what the matrix makes of inputs, not of the matrix. What they don't
    excite counts a little, as in `truncated_svd`: few inputs must not decide alone.

    Args:
        matrix: (m, n).
        rank: at most min(m, n).
        inputs: (count, m).
    """
    wide, given = np.asarray(matrix, np.float64), np.asarray(inputs, np.float64)
    variance = max(float(np.square(given).sum()) / given.size, np.finfo(np.float64).tiny)
    small = _UNSEEN_WEIGHT * variance
    if matrix.shape[0] < matrix.shape[1]:
        covariance = given.T @ given / len(given) + small * np.eye(len(wide))
        root = np.linalg.cholesky(covariance).T
        left, right = truncated_svd(root @ wide, rank)
        left = np.linalg.solve(root, left)
    else:
        outputs = given @ wide
        gram = outputs.T @ outputs / len(given) + small * (wide.T @ wide)
        right = np.linalg.eigh(gram)[1][:, ::-1][:, :rank].T
        left = wide @ right.T
    return _balanced(left, right)


def _balanced(left: Matrix, right: Matrix) -> tuple[Matrix, Matrix]:
    """The same product, with columns on the left as long as the rows on the right."""
    tiny = np.finfo(np.float64).tiny
    lengths = (
        np.maximum(np.linalg.norm(one, axis=axis), tiny) for one, axis in ((left, 0), (right, 1))
    )
    scale = np.sqrt(np.divide(*lengths))
    return left / scale, right * scale[:, None]


def tap_covariance(height: int, width: int) -> Matrix:
    """(taps, taps): covariance of the inputs under a kernel's taps, in row-major order."""
    rows, columns = np.divmod(np.arange(height * width), width)
    distance = np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    return np.asarray(_NEIGHBOUR_CORRELATION**distance, dtype=np.float64)


def restrict_taps(kernel: npt.NDArray[np.floating], size: int) -> Matrix:
    """The size x size kernel whose outputs are nearest to the larger one's.

    Least squares under `tap_covariance`: taps that fall away are made up for by their
    neighbours. Both kernels are centred.

    Args:
        kernel: (height, width, inputs, outputs).
        size: odd, at most height and width.
    """
    height, width = kernel.shape[:2]
    grid = np.arange(height * width).reshape(height, width)
    top, left = (height - size) // 2, (width - size) // 2
    inside = grid[top : top + size, left : left + size].reshape(-1)
    covariance = tap_covariance(height, width)
    projection = np.linalg.solve(covariance[np.ix_(inside, inside)], covariance[inside])
    flat = np.asarray(kernel, dtype=np.float64).reshape(height * width, -1)
    restricted = projection @ flat
    return np.asarray(restricted.reshape(size, size, *kernel.shape[2:]))


def separate_depthwise(kernel: npt.NDArray[np.floating]) -> tuple[Matrix, Matrix]:
    """Depthwise (height, width, inputs) and pointwise (inputs, outputs) nearest to a kernel.

    For each input channel the best rank-1 approximation of its (taps, outputs) slice, where
    "best" weighs the taps by `tap_covariance`, that is, by what the slice does to an image.

    Args:
        kernel: (height, width, inputs, outputs).
    """
    height, width, inputs, outputs = kernel.shape
    values, vectors = np.linalg.eigh(tap_covariance(height, width))
    root = (vectors * np.sqrt(values)) @ vectors.T
    unroot = (vectors / np.sqrt(values)) @ vectors.T
    slices = np.asarray(kernel, dtype=np.float64).reshape(-1, inputs, outputs)
    weighted = np.einsum("st,tio->iso", root, slices)
    left, singular, right = np.linalg.svd(weighted, full_matrices=False)
    scale = np.sqrt(singular[:, 0])
    depthwise = unroot @ (left[:, :, 0] * scale[:, None]).T
    pointwise = right[:, 0, :] * scale[:, None]
    return depthwise.reshape(height, width, inputs), np.asarray(pointwise)


def semi_nmf(matrix: npt.NDArray[np.floating], rank: int) -> tuple[Matrix, Matrix]:
    """(positive, right) with matrix ~ positive @ right and no negative entry in `positive`.

    Ding, Li and Jordan, "Convex and semi-nonnegative matrix factorizations", 2010: alternating
    least squares for `right` and multiplicative updates for `positive`, from the rows of the
    matrix that span it best. A squeeze layer with such weights passes its ReLU unharmed, for
    the feature maps that it squeezes are not negative either.

    Args:
        matrix: (m, n).
        rank: at most m.
    """
    whole = np.asarray(matrix, dtype=np.float64)
    target = _narrow(whole)
    positive = _spread_rows(target, rank)
    if len(whole) >= _MANY_ROWS:  # in half the time; the rounds end far from float32's rounding
        target, positive = target.astype(np.float32), positive.astype(np.float32)
    for _ in range(_rounds(len(whole), rank)):
        right = _least_squares(positive, target)
        cross, gram = target @ right.T, right @ right.T
        raised = np.maximum(cross, 0) + positive @ np.maximum(-gram, 0)
        lowered = np.maximum(-cross, 0) + positive @ np.maximum(gram, 0)
        positive = positive * np.sqrt((raised + 1e-12) / (lowered + 1e-12))
    positive = positive.astype(np.float64)
    if len(whole) >= _MANY_ROWS:
        return positive, _least_squares(positive, whole)
    return positive, np.asarray(np.linalg.pinv(positive) @ whole)


def _rounds(rows: int, rank: int) -> int:
    if rows < _MANY_ROWS:
        return _SEMI_NMF_ROUNDS
    return _ROUNDS_OF_MANY_ROWS if rank < _MANY_ROWS else _ROUNDS_OF_MANY_COLUMNS


def _narrow(matrix: Matrix) -> Matrix:
    """A matrix of as many columns as rows that stands for a large wide one.

    Its rows have the same products with each other, and nothing else of them tells in `semi_nmf`:
    512 rows of 4,608 take seconds a round, 512 of 512 some milliseconds.
    """
    rows, columns = matrix.shape
    if rows < _MANY_ROWS or columns < 2 * rows:
        return matrix
    gram = matrix @ matrix.T
    return np.asarray(np.linalg.cholesky(gram + _speck(gram)))


def _least_squares(positive: Matrix, target: Matrix) -> Matrix:
    if len(positive) < _MANY_ROWS:
        return np.asarray(np.linalg.pinv(positive) @ target)
    gram = positive.T @ positive
    return np.asarray(np.linalg.solve(gram + _speck(gram), positive.T @ target))


def _speck(gram: Matrix) -> Matrix:
    """What makes a Gram matrix positive definite that nearly is."""
    small = 1e-12 if gram.dtype == np.float64 else 1e-6
    size = np.trace(gram) * small + np.finfo(gram.dtype).tiny
    return np.asarray(np.eye(len(gram), dtype=gram.dtype) * size)


def _spread_rows(matrix: Matrix, rank: int) -> Matrix:
    """Start of `semi_nmf`: each of the `rank` rows that span most stands for itself."""
    rest = matrix.copy()
    start = np.full((len(matrix), rank), 0.05)
    for column in range(rank):
        row = int(np.argmax(np.linalg.norm(rest, axis=1)))
        start[row, column] = 1.0
        length = np.linalg.norm(rest[row])
        if length > 0:
            direction = rest[row] / length
            rest = rest - np.outer(rest @ direction, direction)
    return start
