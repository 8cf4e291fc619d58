"""Adversarial losses against their formulas, and a penalty that is really one."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from overpaint.losses import GAN_LOSSES, gradient_penalty

SCORES = torch.tensor([[-2.0, -0.5], [0.3, 1.7]])


def test_least_squares():
    loss = GAN_LOSSES["least-squares"]
    assert torch.isclose(loss.real(SCORES), ((SCORES - 1) ** 2).mean())
    assert torch.isclose(loss.fake(SCORES), (SCORES**2).mean())
    assert torch.isclose(loss.generator(SCORES), loss.real(SCORES))


def test_cross_entropy():
    loss = GAN_LOSSES["cross-entropy"]
    assert torch.isclose(loss.real(SCORES), F.binary_cross_entropy(SCORES.sigmoid(), torch.ones_like(SCORES)))
    assert torch.isclose(loss.fake(SCORES), F.binary_cross_entropy(SCORES.sigmoid(), torch.zeros_like(SCORES)))
    assert torch.isfinite(loss.fake(torch.tensor([1e4])))


def test_hinge_and_wgan():
    hinge, wgan = GAN_LOSSES["hinge"], GAN_LOSSES["wgan"]
    assert torch.isclose(hinge.real(SCORES), torch.tensor([3.0, 1.5, 0.7, 0.0]).mean())
    assert torch.isclose(hinge.fake(SCORES), torch.tensor([0.0, 0.5, 1.3, 2.7]).mean())
    assert torch.isclose(wgan.real(SCORES), -SCORES.mean())
    assert torch.isclose(wgan.fake(SCORES), SCORES.mean())
    assert torch.isclose(hinge.generator(SCORES), -SCORES.mean())


@pytest.mark.parametrize("name", GAN_LOSSES)
def test_real_pictures_are_told_to_be_real(name: str):
    """Scores that say real lower the loss on real pictures and raise it on fakes: never fakes as ones."""
    loss = GAN_LOSSES[name]
    low, high = torch.tensor([0.2]), torch.tensor([0.8])
    assert loss.real(high) < loss.real(low)
    assert loss.fake(high) > loss.fake(low)
    assert loss.generator(high) < loss.generator(low)


class Slope(nn.Module):
    """A critic whose gradient is known: the sum of pixels times a constant."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.slope * x.sum(dim=(1, 2, 3), keepdim=True)


def test_gradient_penalty_of_a_known_gradient():
    real, fake = torch.rand(2, 1, 2, 2), torch.rand(2, 1, 2, 2)
    for slope in (0.5, 1.0, 2.0):  # four pixels: the norm of the gradient is twice the slope
        assert torch.isclose(gradient_penalty(Slope(slope), real, fake), torch.tensor((2 * slope - 1) ** 2))


def test_gradient_penalty_reaches_the_weights():
    critic = Slope(2.0)
    gradient_penalty(critic, torch.rand(2, 1, 2, 2), torch.rand(2, 1, 2, 2)).backward()
    assert critic.slope.grad is not None and torch.isclose(critic.slope.grad, torch.tensor(2 * (4.0 - 1) * 2))
