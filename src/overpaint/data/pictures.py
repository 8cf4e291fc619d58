"""Data sets: item number p of a run, for unpaired and paired pictures, and the fixed pictures held back.

What stands at position p, and how it is cropped and flipped, follows from (seed, p) alone. So the order is the same with any
number of workers, on any number of machines, and after a resume.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from overpaint.data.sources import Source
from overpaint.data.transforms import Transform
from overpaint.errors import DataError

# Streams of random numbers: nothing that is drawn for one purpose moves another.
_ORDER, _PARTNER, _VARY_A, _VARY_B = range(4)


@dataclass
class Item:
    """One picture of A and one of B, uint8 (C, H, W), and their names."""

    a: Tensor
    b: Tensor
    a_path: str
    b_path: str


def _rng(seed: int, stream: int, number: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed & 0xFFFFFFFF, (number << 2) | stream]))


@lru_cache(maxsize=4)
def _permutation(seed: int, epoch: int, length: int) -> np.ndarray:
    return _rng(seed, _ORDER, epoch).permutation(length)


class UnpairedPictures(Dataset[Item]):
    """Two sets without pairs; the second picture is drawn at random, never as the partner of the first.

    Args:
        a: pictures of A.
        b: pictures of B.
        transform: resize, crop and flip; drawn for A and for B apart.
        seed: of the order and of all draws.
    """

    def __init__(self, a: Source, b: Source, transform: Transform, seed: int) -> None:
        self.a, self.b, self.transform, self.seed = a, b, transform, seed
        self.epoch = max(len(a), len(b))

    def __len__(self) -> int:
        return self.epoch

    def __getitem__(self, position: int) -> Item:
        """The item at a position of the run, which may lie beyond the first epoch."""
        epoch, place = divmod(position, self.epoch)
        first = int(_permutation(self.seed, epoch, self.epoch)[place]) % len(self.a)
        second = int(_rng(self.seed, _PARTNER, position).integers(len(self.b)))
        return Item(
            self._varied(self.a, first, _VARY_A, position),
            self._varied(self.b, second, _VARY_B, position),
            self.a.name(first),
            self.b.name(second),
        )

    def _varied(self, source: Source, index: int, stream: int, position: int) -> Tensor:
        picture = self.transform.prepare(source.read(index), source.name(index))
        rng = _rng(self.seed, stream, position)
        return self.transform.vary(picture, self.transform.draw(picture.shape[1], picture.shape[2], rng))


class PairedPictures(Dataset[Item]):
    """Before-and-after pairs; both pictures of a pair share one random draw.

    Args:
        a: the inputs.
        b: the outputs, in the same order.
        transform: resize, crop and flip.
        seed: of the order and of all draws.
    """

    def __init__(self, a: Source, b: Source, transform: Transform, seed: int) -> None:
        self.a, self.b, self.transform, self.seed = a, b, transform, seed
        self.epoch = len(a)

    def __len__(self) -> int:
        return self.epoch

    def __getitem__(self, position: int) -> Item:
        """The pair at a position of the run, which may lie beyond the first epoch."""
        epoch, place = divmod(position, self.epoch)
        index = int(_permutation(self.seed, epoch, self.epoch)[place])
        a, b = prepared_pair(self.a, self.b, index, self.transform)
        draw = self.transform.draw(a.shape[1], a.shape[2], _rng(self.seed, _VARY_A, position))
        return Item(self.transform.vary(a, draw), self.transform.vary(b, draw), self.a.name(index), self.b.name(index))


def prepared_pair(a: Source, b: Source, index: int, transform: Transform) -> tuple[Tensor, Tensor]:
    """Both pictures of a pair, prepared.

    Raises:
        DataError: if they end up at different sizes, so that no crop can hold the same place of both.
    """
    first = transform.prepare(a.read(index), a.name(index))
    second = transform.prepare(b.read(index), b.name(index))
    if first.shape[1:] != second.shape[1:]:
        raise DataError(
            f"{a.name(index)} and {b.name(index)} are a pair of different sizes "
            f"({first.shape[2]} x {first.shape[1]} and {second.shape[2]} x {second.shape[1]}); make them equal, or use "
            "data.resize: resize-and-crop"
        )
    return first, second


def still_pictures(source: Source, indices: list[int], transform: Transform) -> list[Tensor]:
    """Held-back pictures as the network sees them, uint8 (C, size, size): nothing random, cropped in the middle."""
    still = transform.still()
    pictures = []
    for index in indices:
        picture = still.prepare(source.read(index), source.name(index))
        pictures.append(still.vary(picture, still.middle(*picture.shape[1:])))
    return pictures


def spread(length: int, count: int) -> list[int]:
    """Up to ``count`` indices spread evenly over ``length``: the same ones each time."""
    count = min(length, count)
    return [int(index) for index in torch.linspace(0, length - 1, count).round()] if count > 1 else [0] * count
