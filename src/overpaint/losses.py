"""Adversarial losses as pure functions of scores, and the gradient penalty.

Scores are raw: no sigmoid stands before them. Means run over patches and pictures alike.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GanKind = Literal["least-squares", "cross-entropy", "hinge", "wgan"]


class GanLoss(NamedTuple):
    """What a discriminator minimises on real pictures and on fakes, and what a generator minimises on its fakes."""

    real: Callable[[Tensor], Tensor]
    fake: Callable[[Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


def _squared_to(target: float) -> Callable[[Tensor], Tensor]:
    """Mean squared difference to a constant (arXiv 1611.04076, eq. 2)."""
    return lambda scores: (scores - target).square().mean()


def _negative_mean(scores: Tensor) -> Tensor:
    return -scores.mean()


GAN_LOSSES: dict[str, GanLoss] = {
    # arXiv 1611.04076: real to 1, fake to 0, the generator's to 1.
    "least-squares": GanLoss(_squared_to(1.0), _squared_to(0.0), _squared_to(1.0)),
    # -log D(x), -log(1 - D(G)), and the non-saturating -log D(G) (arXiv 1406.2661).
    "cross-entropy": GanLoss(
        lambda scores: F.softplus(-scores).mean(),
        lambda scores: F.softplus(scores).mean(),
        lambda scores: F.softplus(-scores).mean(),
    ),
    # arXiv 1705.02894, eq. 16.
    "hinge": GanLoss(
        lambda scores: F.relu(1.0 - scores).mean(),
        lambda scores: F.relu(1.0 + scores).mean(),
        _negative_mean,
    ),
    # arXiv 1701.07875; stands only with a penalty or clipping.
    "wgan": GanLoss(_negative_mean, torch.mean, _negative_mean),
}


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """Mean of (|grad critic(x)| - 1)^2 at random points x between real and fake pictures (arXiv 1704.00028, eq. 3).

    Args:
        critic: scores of pictures (N, C, H, W); must not mix the pictures of a batch (no batch norm).
        real: real pictures (N, C, H, W).
        fake: as many fakes; no gradient flows into them.

    Returns:
        A scalar, before its weight (10 in the paper).
    """
    share = torch.rand(real.shape[0], 1, 1, 1, device=real.device, dtype=real.dtype)
    between = torch.lerp(fake.detach(), real.detach(), share).requires_grad_(True)
    scores = critic(between)
    # A patch critic has a score per patch; a picture's score is their mean, as in the loss itself.
    per_picture = scores.flatten(1).mean(dim=1).sum()
    (gradient,) = torch.autograd.grad(per_picture, between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1.0).square().mean()


def has_batch_norm(network: nn.Module) -> bool:
    """Whether a network mixes the pictures of a batch, which a gradient penalty per picture can't allow."""
    return any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
