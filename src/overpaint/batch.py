"""What flows from data to models: a batch of pictures of both domains."""

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class Batch:
    """Pictures (B, C, H, W), float in [-1, 1], and where they came from."""

    a: Tensor
    b: Tensor
    a_paths: list[str] = field(default_factory=list)
    b_paths: list[str] = field(default_factory=list)

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on a device."""
        a, b = (picture.to(device, non_blocking=True) for picture in (self.a, self.b))
        return Batch(a, b, self.a_paths, self.b_paths)
