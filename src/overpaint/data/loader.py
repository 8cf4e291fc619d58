"""Batches from a position of the run to its end, with or without worker processes."""

import signal
from collections.abc import Iterator

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from overpaint.batch import Batch
from overpaint.data.pictures import Item
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


def collate(items: list[Item]) -> Batch:
    """Items to a batch of floats in [-1, 1]."""
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
) -> DataLoader[Batch]:
    """A loader of the batches from position ``start`` up to ``stop``; the last one is full and may go beyond."""
    return DataLoader(  # type: ignore[return-value]
        dataset,
        batch_size=batch,
        sampler=Positions(start, stop, batch, rank, world),
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=_quiet_worker if workers else None,
        pin_memory=pin,
        generator=torch.Generator(),  # the loader's own seed would otherwise move torch's global generator
    )
