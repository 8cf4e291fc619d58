"""The buffer of earlier fakes that a CycleGAN discriminator also learns from (arXiv 1703.10593, section 4)."""

from typing import Any

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """Keeps up to ``size`` pictures; a module, so that its pictures are part of a model's state and survive a resume.

    Until it is full it stores and returns each new picture; then, picture by picture, it either returns the new one or, with
    probability 1/2, a random stored one, which the new one replaces. Draws come from torch's global generator.

    Args:
        size: pictures kept; 0 returns everything as it came.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.pictures: list[Tensor] = []

    def query(self, fakes: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W): new and old fakes, without gradients."""
        if self.size == 0:
            return fakes.detach()
        return torch.stack([self._exchange(fake) for fake in fakes.detach()])

    def _exchange(self, fake: Tensor) -> Tensor:
        if len(self.pictures) < self.size:
            self.pictures.append(fake.clone())
            return fake
        if torch.rand(()) < 0.5:
            return fake
        slot = int(torch.randint(self.size, ()))
        old, self.pictures[slot] = self.pictures[slot], fake.clone()
        return old.to(fake.device)  # after a resume the stored ones begin on the CPU

    def get_extra_state(self) -> list[Tensor]:
        """The stored pictures, in order."""
        return self.pictures

    def set_extra_state(self, state: Any) -> None:
        """Takes back what ``get_extra_state`` gave."""
        self.pictures = list(state)
