"""Batches from a position of the run to its end, with or without worker processes."""

import signal
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from overpaint.batch import Batch
from overpaint.data.pictures import Item
from overpaint.errors import DataError
from overpaint.images import to_float


class Positions(Sampler[int]):
    """Positions of one process: batch after batch, each process its own part of every batch.

    Args:
        start: first position of the run that is wanted; a multiple of ``batch * world``.
        stop: the position after the last.
        batch: pictures per step and process.
        rank: this process.
        world: number of processes.
    """

    def __init__(self, start: int, stop: int, batch: int, rank: int = 0, world: int = 1) -> None:
        self.start, self.stop, self.batch, self.rank, self.world = start, stop, batch, rank, world

    def __iter__(self) -> Iterator[int]:
        step = self.batch * self.world
        for first in range(self.start, self.stop, step):
            own = first + self.rank * self.batch
            yield from range(own, own + self.batch)

    def __len__(self) -> int:
        step = self.batch * self.world
        return max(0, -(-(self.stop - self.start) // step)) * self.batch


class _Guarded(Dataset["Item | DataError"]):
    """Hands a picture's error on as a value: raised in a worker process it would come back as a printed traceback."""

    def __init__(self, dataset: Dataset[Item]) -> None:
        self.dataset = dataset

    def __getitem__(self, position: int) -> "Item | DataError":
        try:
            return self.dataset[position]
        except DataError as error:
            return error


def collate(items: "list[Item | DataError]") -> "Batch | DataError":
    """Items to a batch of floats in [-1, 1], or the first error among them."""
    for item in items:
        if isinstance(item, DataError):
            return item
    good = [item for item in items if isinstance(item, Item)]
    return _batch(good)


def _batch(items: list[Item]) -> Batch:
    return Batch(
        to_float(torch.stack([item.a for item in items])),
        to_float(torch.stack([item.b for item in items])),
        [item.a_path for item in items],
        [item.b_path for item in items],
    )


def _quiet_worker(_: int) -> None:
    """A worker leaves Ctrl-C and SIGTERM to the main process, which finishes its step and saves first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def batches(
    dataset: Dataset[Item],
    *,
    start: int,
    stop: int,
    batch: int,
    workers: int = 0,
    rank: int = 0,
    world: int = 1,
    pin: bool = False,
) -> Iterator[Batch]:
    """The batches from position ``start`` up to ``stop``; the last one is full and may go beyond.

    Raises:
        DataError: when a picture that is due can't be read.
    """
    loader: DataLoader[Any] = DataLoader(
        _Guarded(dataset),
        batch_size=batch,
        sampler=Positions(start, stop, batch, rank, world),
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=_quiet_worker if workers else None,
        pin_memory=pin,
        generator=torch.Generator(),  # the loader's own seed would otherwise move torch's global generator
    )
    for batch_or_error in loader:
        if isinstance(batch_or_error, DataError):
            raise batch_or_error
        yield batch_or_error
