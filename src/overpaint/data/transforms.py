"""From a picture of any size to what the network trains on: resize, crop, flip.

A transform has two halves: ``prepare`` is the same each time (so its result can be cached), ``vary`` follows a ``Draw``.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

from overpaint.errors import DataError
from overpaint.images import resize

Resize = Literal["resize-and-crop", "crop", "scale-width", "none"]


@dataclass(frozen=True)
class Draw:
    """One random draw: where the crop begins, and whether the picture is flipped left to right."""

    top: int
    left: int
    flip: bool


@dataclass(frozen=True, kw_only=True)
class Transform:
    """The recipes' augmentation.

    Args:
        kind: ``resize-and-crop`` brings the picture to a square of ``load_size`` and crops ``size``; ``crop`` only crops;
            ``scale-width`` brings the width to ``load_size``, keeping proportions, and crops ``size``; ``none`` keeps the
            picture but for sides that must divide by ``multiple``.
        size: side of the square that the network sees, in pixels.
        load_size: side before the crop, in pixels.
        flip: whether half of the pictures are flipped left to right.
        multiple: what both sides must divide by, for ``none``.
    """

    kind: Resize = "resize-and-crop"
    size: int = 256
    load_size: int = 286
    flip: bool = True
    multiple: int = 4

    def prepare(self, picture: Tensor, name: str = "picture") -> Tensor:
        """uint8 (C, H, W) -> uint8 (C, H', W'), always the same.

        Raises:
            DataError: if the result is smaller than the crop.
        """
        height, width = picture.shape[1:]
        if self.kind == "resize-and-crop":
            return resize(picture, self.load_size, self.load_size)
        if self.kind == "none":
            rows, columns = (max(self.multiple, side // self.multiple * self.multiple) for side in (height, width))
            return resize(picture, rows, columns)
        if self.kind == "scale-width":
            picture = resize(picture, max(1, round(height * self.load_size / width)), self.load_size)
        if min(picture.shape[1:]) < self.size:
            raise DataError(
                f"{name}: {picture.shape[2]} x {picture.shape[1]} pixels are fewer than the crop of {self.size}; "
                "remove it, set a smaller data.size, or use data.resize: resize-and-crop"
            )
        return picture

    def draw(self, height: int, width: int, rng: np.random.Generator) -> Draw:
        """A random crop and flip for a prepared picture of this size; every crop position is as likely."""
        if self.kind == "none":
            top = left = 0
        else:
            top = int(rng.integers(0, height - self.size + 1))
            left = int(rng.integers(0, width - self.size + 1))
        return Draw(top, left, bool(self.flip and rng.random() < 0.5))

    def vary(self, picture: Tensor, draw: Draw) -> Tensor:
        """Applies a draw to a prepared picture: uint8 (C, H', W') -> uint8 (C, size, size)."""
        if self.kind != "none":
            picture = picture[:, draw.top : draw.top + self.size, draw.left : draw.left + self.size]
        return picture.flip(2) if draw.flip else picture

    def still(self) -> "Transform":
        """The transform for held-back pictures: straight to ``size``, nothing random.

        Large pictures of ``crop`` and ``scale-width`` are cropped in the middle by ``middle``.
        """
        load_size = self.size if self.kind == "resize-and-crop" else self.load_size
        return Transform(kind=self.kind, size=self.size, load_size=load_size, flip=False, multiple=self.multiple)

    def middle(self, height: int, width: int) -> Draw:
        """The draw of held-back pictures: the middle, unflipped."""
        if self.kind == "none":
            return Draw(0, 0, False)
        return Draw((height - self.size) // 2, (width - self.size) // 2, False)
