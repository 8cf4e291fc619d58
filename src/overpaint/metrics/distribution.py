"""Distances between two sets of features."""

import torch
from torch import Tensor


def kernel_distance(fake: Tensor, real: Tensor) -> float:
    """Squared maximum mean discrepancy of features (N, D) and (M, D), unbiased, times 1000; lower is better.

    Both sets are divided by the standard deviation of their union, per dimension; the kernel is ((x . y) / D + 1)^3
    (arXiv 1801.01401, eq. 4, over features that need not be Inception's, so the figure is not called KID).
    """
    scale = torch.cat([fake, real]).std(dim=0).clamp_min(1e-12)
    x, y = fake.double() / scale, real.double() / scale

    def kernel(first: Tensor, second: Tensor) -> Tensor:
        return (first @ second.T / first.shape[1] + 1.0) ** 3

    def within(points: Tensor) -> Tensor:
        matrix, count = kernel(points, points), points.shape[0]
        return (matrix.sum() - matrix.diagonal().sum()) / (count * (count - 1))

    return float(1000.0 * (within(x) + within(y) - 2.0 * kernel(x, y).mean()))
