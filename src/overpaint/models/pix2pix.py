"""Pix2Pix: a conditional GAN with an L1 term, learnt from before-and-after pairs (arXiv 1611.07004)."""

from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from overpaint.batch import Batch
from overpaint.losses import GAN_LOSSES, GanKind, gradient_penalty
from overpaint.models.base import (
    NetworkMaker,
    StepResult,
    Translator,
    Update,
    check_penalty,
    check_weights,
    detached,
    frozen,
)
from overpaint.models.registry import MODELS
from overpaint.nets.layers import use_picture_statistics


@dataclass(frozen=True, kw_only=True)
class Pix2PixConfig:
    """Weights and losses of Pix2Pix; the defaults are the paper's."""

    gan: GanKind = "cross-entropy"
    """Adversarial loss."""
    lambda_l1: float = 100.0
    """Weight of |G(a) - b|."""
    lambda_gp: float = 10.0
    """Weight of the gradient penalty; it counts with gan: wgan only."""

    def __post_init__(self) -> None:
        check_weights(lambda_l1=self.lambda_l1, lambda_gp=self.lambda_gp)


@MODELS.register("pix2pix")
class Pix2Pix(Translator):
    """A generator g_ab and a discriminator d_b that sees input and output side by side in channels.

    Args:
        generator: makes a generator from ``in_channels`` and ``out_channels``.
        discriminator: makes a discriminator from ``in_channels``.
        channels_a: channels of the inputs.
        channels_b: channels of the outputs.
        config: weights and losses.

    Raises:
        ConfigError: for a penalty that can't hold.
    """

    config_class = Pix2PixConfig
    paired = True

    def __init__(
        self,
        generator: NetworkMaker,
        discriminator: NetworkMaker,
        channels_a: int = 3,
        channels_b: int = 3,
        config: Pix2PixConfig | None = None,
    ) -> None:
        super().__init__(generator, discriminator, channels_a, channels_b, config)
        self.config = config = config or Pix2PixConfig()
        self.g_ab = generator(in_channels=channels_a, out_channels=channels_b)
        self.d_b = discriminator(in_channels=channels_a + channels_b)
        use_picture_statistics(self.g_ab)
        check_penalty(config.gan, config.lambda_gp, self.d_b)
        self.gan = GAN_LOSSES[config.gan]

    def groups(self) -> dict[str, list[nn.Module]]:
        """One optimiser each."""
        return {"generators": [self.g_ab], "discriminators": [self.d_b]}

    def training_step(self, batch: Batch, update: Update) -> StepResult:
        """Discriminator first, then the generator; one forward of the generator serves both."""
        a, b = batch.a, batch.b
        fake_b = self.g_ab(a)

        d_fake = self.gan.fake(self._judge(a, fake_b.detach()))
        d_real = self.gan.real(self._judge(a, b))
        update("discriminators", 0.5 * (d_fake + d_real + self._penalty(a, b, fake_b)))

        with frozen(self.d_b):
            gan = self.gan.generator(self._judge(a, fake_b))
            l1 = F.l1_loss(fake_b, b) * self.config.lambda_l1
            update("generators", gan + l1)
        losses = {"gan": gan, "l1": l1, "d_real": d_real, "d_fake": d_fake}
        return StepResult(detached(losses), {"fake_b": fake_b.detach()})

    def _judge(self, a: Tensor, b: Tensor) -> Tensor:
        return self.d_b(torch.cat([a, b], dim=1))

    def _penalty(self, a: Tensor, b: Tensor, fake_b: Tensor) -> Tensor | float:
        """Gradient penalty on the output's part of what the discriminator sees."""
        if self.config.gan != "wgan" or self.config.lambda_gp == 0:
            return 0.0
        return self.config.lambda_gp * gradient_penalty(partial(self._judge, a), b, fake_b)
