"""Keeps resized pictures as uint8, in memory or on disk, so that each file is decoded once."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from overpaint.data.pictures import spread
from overpaint.data.sources import ArraySource, Source
from overpaint.data.transforms import Transform

Where = Literal["auto", "memory", "disk", "none"]

# What auto takes for free memory where the system doesn't tell.
_UNKNOWN_FREE = 4 * 2**30


class FlatCache:
    """Prepared pictures one after the other in one buffer, which worker processes share.

    Args:
        buffer: uint8 (bytes of all pictures).
        shapes: (C, H, W) of each.
        names: one each.
    """

    def __init__(self, buffer: Tensor, shapes: list[tuple[int, int, int]], names: list[str]) -> None:
        sizes = [channels * height * width for channels, height, width in shapes]
        self.offsets = [0, *np.cumsum(sizes).tolist()]
        self.buffer, self.shapes, self.names = buffer, shapes, names

    def __len__(self) -> int:
        return len(self.shapes)

    def name(self, index: int) -> str:
        """The picture's name in the source it came from."""
        return self.names[index]

    def read(self, index: int) -> Tensor:
        """A view into the buffer: not to be written to."""
        return self.buffer[self.offsets[index] : self.offsets[index + 1]].view(self.shapes[index])


def cached(
    source: Source,
    transform: Transform,
    where: Where,
    folder: Path | None = None,
    share: float = 0.25,
    advance: Callable[[], None] | None = None,
) -> Source:
    """The same pictures, prepared and kept, where that was asked for and fits.

    Args:
        source: the pictures.
        transform: whose ``prepare`` is applied once and for all.
        where: memory, disk, none, or auto (memory, if they take at most ``share`` of what is free).
        folder: where a cache on disk lies; nothing is cached on disk without one.
        share: of the free memory.
        advance: called after each picture.

    Raises:
        DataError: if a picture can't be read.
    """
    if isinstance(source, ArraySource) or where == "none":
        return source
    if where == "auto" and expected_bytes(source, transform) > share * free_memory():
        return source
    if where == "disk" and folder is not None:
        return _on_disk(source, transform, folder, advance)
    pictures, shapes = [], []
    for index in range(len(source)):
        picture = transform.prepare(source.read(index), source.name(index)).contiguous()
        pictures.append(picture.flatten())
        shapes.append(tuple(picture.shape))
        if advance:
            advance()
    return FlatCache(torch.cat(pictures).share_memory_(), shapes, [source.name(i) for i in range(len(source))])


def expected_bytes(source: Source, transform: Transform) -> int:
    """Bytes that all prepared pictures will take, judged by a few of them."""
    probes = spread(len(source), 4)
    sizes = [transform.prepare(source.read(index), source.name(index)).numel() for index in probes]
    return round(sum(sizes) / len(sizes) * len(source))


def free_memory() -> int:
    """Bytes of memory that are free now, as far as the system tells."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN_FREE


def _key(source: Source, transform: Transform) -> str:
    """Changes whenever a file or the way it is prepared changes."""
    parts = [repr((type(source).__name__, transform.kind, transform.size, transform.load_size, transform.multiple))]
    for index in range(len(source)):
        path = Path(source.name(index))
        stat = path.stat() if path.exists() else None
        parts.append(f"{path} {stat.st_size} {stat.st_mtime_ns}" if stat else str(path))
    parts.append(str(getattr(source, "side", "")) + str(getattr(source, "channels", "")))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _on_disk(source: Source, transform: Transform, folder: Path, advance: Callable[[], None] | None) -> Source:
    folder.mkdir(parents=True, exist_ok=True)
    key = _key(source, transform)
    data, index_file = folder / f"{key}.u8", folder / f"{key}.json"
    names = [source.name(i) for i in range(len(source))]
    if not index_file.exists():
        shapes = []
        partial = data.with_suffix(".partial")
        with partial.open("wb") as file:
            for index in range(len(source)):
                picture = transform.prepare(source.read(index), source.name(index)).contiguous()
                file.write(picture.numpy().tobytes())
                shapes.append(list(picture.shape))
                if advance:
                    advance()
        partial.replace(data)
        index_file.write_text(json.dumps(shapes), encoding="utf-8")  # last: its presence says that the data are whole
    shapes = [(c, h, w) for c, h, w in json.loads(index_file.read_text(encoding="utf-8"))]
    size = data.stat().st_size
    return FlatCache(torch.from_file(str(data), shared=False, size=size, dtype=torch.uint8), shapes, names)
