"""The contract between a model (what to minimise, in which order) and the trainer (how a step is made)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from overpaint.batch import Batch
from overpaint.errors import ConfigError
from overpaint.losses import has_batch_norm


class Update(Protocol):
    """Minimises a loss with the optimiser of one group: finite check, backward, clip, step, averaging over processes."""

    def __call__(self, group: str, loss: Tensor) -> None:
        """One optimiser step; raises NotFiniteError before any weight changes."""
        ...


@dataclass
class StepResult:
    """What a step reports: scalar losses (detached, weights included) and pictures in [-1, 1]."""

    losses: dict[str, Tensor]
    pictures: dict[str, Tensor]


NetworkMaker = Callable[..., nn.Module]


class Translator(nn.Module):
    """A model: networks, losses and the order of updates of one paper.

    Sub-classes name their generators in ``generators`` as ``{direction: attribute}``; everything outside learns from there
    which networks a user of the trained model needs.
    """

    config_class: ClassVar[type]
    paired: ClassVar[bool] = False
    generators: ClassVar[dict[str, str]] = {"a2b": "g_ab"}

    def __init__(
        self,
        generator: NetworkMaker,
        discriminator: NetworkMaker,
        channels_a: int = 3,
        channels_b: int = 3,
        config: Any = None,
    ) -> None:
        super().__init__()

    @property
    def directions(self) -> tuple[str, ...]:
        """The ways it can translate."""
        return tuple(self.generators)

    def groups(self) -> dict[str, list[nn.Module]]:
        """The networks of each optimiser, by the names that ``training_step`` hands to ``update``."""
        raise NotImplementedError

    def training_step(self, batch: Batch, update: Update) -> StepResult:
        """One step of the paper's algorithm on one batch."""
        raise NotImplementedError

    def generator(self, direction: str) -> nn.Module:
        """The network that translates in a direction.

        Raises:
            ConfigError: if the model doesn't translate that way.
        """
        if direction not in self.generators:
            raise ConfigError(f"this model does not translate {direction!r}; it knows: {', '.join(self.generators)}")
        return getattr(self, self.generators[direction])

    @torch.no_grad()
    def translate(self, x: Tensor, direction: str = "a2b") -> Tensor:
        """(N, C, H, W) in [-1, 1] -> the same, repeatable: evaluation mode, no dropout, no gradients."""
        network = self.generator(direction)
        with evaluating(network):
            return network(x)


@contextmanager
def evaluating(network: nn.Module, dropout: bool = False) -> Iterator[None]:
    """Evaluation mode for the length of a block; ``dropout`` keeps the dropout layers drawing."""
    before = [(module, module.training) for module in network.modules()]
    network.eval()
    if dropout:
        for module, _ in before:
            if isinstance(module, nn.Dropout):
                module.train()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """No gradients for the weights of some networks; gradients still flow through them to their input."""
    for network in networks:
        network.requires_grad_(False)
    try:
        yield
    finally:
        for network in networks:
            network.requires_grad_(True)


def detached(losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same numbers without their graphs."""
    return {name: loss.detach() for name, loss in losses.items()}


def check_weights(**weights: float) -> None:
    """Refuses weights of losses that are negative.

    Raises:
        ConfigError: naming the first such weight.
    """
    for name, value in weights.items():
        if value < 0:
            raise ConfigError(f"model.{name} is {value}; a weight is 0 (off) or more")


def check_penalty(gan: str, lambda_gp: float, discriminator: nn.Module) -> None:
    """Refuses a gradient penalty that would not be one.

    Raises:
        ConfigError: if the discriminator mixes the pictures of a batch, or the loss is not ``wgan``.
    """
    if gan == "wgan" and lambda_gp > 0 and has_batch_norm(discriminator):
        raise ConfigError(
            "the gradient penalty of gan: wgan needs a discriminator without batch norm (its gradient is taken per "
            "picture, arXiv 1704.00028); set discriminator.norm to instance or none"
        )
