"""CycleGAN: two translators that must undo each other, learnt from two sets without pairs (arXiv 1703.10593)."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from overpaint.batch import Batch
from overpaint.errors import ConfigError
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
from overpaint.models.pool import ImagePool
from overpaint.models.registry import MODELS


@dataclass(frozen=True, kw_only=True)
class CycleGANConfig:
    """Weights and losses of CycleGAN; the defaults are the paper's."""

    gan: GanKind = "least-squares"
    """Adversarial loss."""
    lambda_cycle_a: float = 10.0
    """Weight of |G_ba(G_ab(a)) - a|."""
    lambda_cycle_b: float = 10.0
    """Weight of |G_ab(G_ba(b)) - b|."""
    lambda_identity: float = 0.5
    """Weight of |G_ab(b) - b| and |G_ba(a) - a|, as a share of the cycle weights; 0 leaves them out."""
    lambda_gp: float = 10.0
    """Weight of the gradient penalty; it counts with gan: wgan only."""
    pool: int = 50
    """Earlier fakes kept per domain for the discriminators."""

    def __post_init__(self) -> None:
        check_weights(
            lambda_cycle_a=self.lambda_cycle_a,
            lambda_cycle_b=self.lambda_cycle_b,
            lambda_identity=self.lambda_identity,
            lambda_gp=self.lambda_gp,
            pool=self.pool,
        )


@MODELS.register("cyclegan")
class CycleGAN(Translator):
    """Generators g_ab and g_ba, and discriminators d_a and d_b that judge pictures of A and of B.

    Args:
        generator: makes a generator from ``in_channels`` and ``out_channels``.
        discriminator: makes a discriminator from ``in_channels``.
        channels_a: channels of pictures of A.
        channels_b: channels of pictures of B.
        config: weights and losses.

    Raises:
        ConfigError: for an identity loss between domains of different channels, or a penalty that can't hold.
    """

    config_class = CycleGANConfig
    generators = {"a2b": "g_ab", "b2a": "g_ba"}  # noqa: RUF012

    def __init__(
        self,
        generator: NetworkMaker,
        discriminator: NetworkMaker,
        channels_a: int = 3,
        channels_b: int = 3,
        config: CycleGANConfig | None = None,
    ) -> None:
        super().__init__(generator, discriminator, channels_a, channels_b, config)
        self.config = config = config or CycleGANConfig()
        if config.lambda_identity > 0 and channels_a != channels_b:
            raise ConfigError(
                f"the identity loss compares input and output, but A has {channels_a} channels and B has {channels_b}; "
                "set model.lambda_identity to 0"
            )
        self.g_ab = generator(in_channels=channels_a, out_channels=channels_b)
        self.g_ba = generator(in_channels=channels_b, out_channels=channels_a)
        self.d_a = discriminator(in_channels=channels_a)
        self.d_b = discriminator(in_channels=channels_b)
        check_penalty(config.gan, config.lambda_gp, self.d_a)
        self.gan = GAN_LOSSES[config.gan]
        self.pool_a, self.pool_b = ImagePool(config.pool), ImagePool(config.pool)

    def groups(self) -> dict[str, list[nn.Module]]:
        """One optimiser for both generators and one for both discriminators, as published."""
        return {"generators": [self.g_ab, self.g_ba], "discriminators": [self.d_a, self.d_b]}

    def training_step(self, batch: Batch, update: Update) -> StepResult:
        """Generators first, then discriminators on the same fakes, passed through the pools."""
        a, b = batch.a, batch.b
        fake_b = self.g_ab(a)
        rec_a = self.g_ba(fake_b)
        fake_a = self.g_ba(b)
        rec_b = self.g_ab(fake_a)

        losses = self._identity_losses(a, b)
        with frozen(self.d_a, self.d_b):
            losses["gan_ab"] = self.gan.generator(self.d_b(fake_b))
            losses["gan_ba"] = self.gan.generator(self.d_a(fake_a))
            losses["cycle_a"] = F.l1_loss(rec_a, a) * self.config.lambda_cycle_a
            losses["cycle_b"] = F.l1_loss(rec_b, b) * self.config.lambda_cycle_b
            update("generators", sum_losses(losses))

        judged = {
            "d_b": self._discriminator_loss(self.d_b, b, self.pool_b.query(fake_b)),
            "d_a": self._discriminator_loss(self.d_a, a, self.pool_a.query(fake_a)),
        }
        update("discriminators", sum_losses(judged))
        pictures = {"fake_b": fake_b, "rec_a": rec_a, "fake_a": fake_a, "rec_b": rec_b}
        return StepResult(detached(losses | judged), detached(pictures))

    def _identity_losses(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """A generator shown its own target should leave it alone (section 5.2); keeps colours in place."""
        weight = self.config.lambda_identity
        if weight == 0:
            return {}
        return {
            "identity_b": F.l1_loss(self.g_ab(b), b) * self.config.lambda_cycle_b * weight,
            "identity_a": F.l1_loss(self.g_ba(a), a) * self.config.lambda_cycle_a * weight,
        }

    def _discriminator_loss(self, d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """Halved, which slows the discriminator relative to the generator (section 4)."""
        loss = self.gan.real(d(real)) + self.gan.fake(d(fake))
        if self.config.gan == "wgan" and self.config.lambda_gp > 0:
            loss = loss + self.config.lambda_gp * gradient_penalty(d, real, fake)
        return 0.5 * loss


def sum_losses(losses: dict[str, Tensor]) -> Tensor:
    """Their sum, in the order of their names' insertion."""
    values = list(losses.values())
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total
