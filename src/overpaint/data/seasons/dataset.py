"""The drawn landscapes as sources of pictures and as folders of files."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from overpaint.data.seasons.noise import Array
from overpaint.data.seasons.paint import Season, paint
from overpaint.data.seasons.scene import Scene, compose
from overpaint.data.sources import ArraySource
from overpaint.errors import DataError

# Drawn at twice the size and averaged, so that edges are smooth.
_OVERSAMPLE = 2


@lru_cache(maxsize=2)
def _composed(seed: int, index: int, side: int) -> Scene:
    return compose(seed, index, side)


def draw_scene(seed: int, index: int, size: int, season: Season) -> Array:
    """One landscape.

    Args:
        seed: of the whole data set.
        index: which scene; the same index shows the same place in both seasons, pixel for pixel.
        size: side of the square picture in pixels, at least 16.
        season: summer or winter.

    Returns:
        uint8 (size, size, 3).

    Raises:
        DataError: if the size is too small to hold a landscape.
    """
    if size < 16:
        raise DataError(f"a landscape of {size} pixels can't be drawn; the smallest is 16")
    large = paint(_composed(seed, index, size * _OVERSAMPLE), season).astype(np.uint16)
    total = large[0::2, 0::2] + large[1::2, 0::2] + large[0::2, 1::2] + large[1::2, 1::2]
    return ((total + 2) // 4).astype(np.uint8)


def season_source(season: Season, seed: int, scenes: Iterable[int], size: int) -> ArraySource:
    """Some scenes in one season, drawn into memory."""
    scenes = list(scenes)
    pictures = np.stack([draw_scene(seed, index, size, season) for index in scenes])
    return ArraySource(torch.from_numpy(pictures).permute(0, 3, 1, 2), [_name(index) for index in scenes])


def _name(index: int) -> str:
    return f"{index:06d}.png"


def write_seasons(
    folder: Path,
    count: int,
    size: int,
    seed: int = 0,
    tests: int | None = None,
    advance: Callable[[], None] | None = None,
) -> dict[str, int]:
    """Writes ``trainA``, ``trainB``, ``testA`` and ``testB`` as PNG files.

    Training shows different scenes in summer (A) and in winter (B); the test folders show the same scenes under equal names.

    Args:
        folder: where to; may exist, but not with such folders in it.
        count: training scenes per season.
        size: side in pixels.
        seed: same seed, same bytes.
        tests: test scenes; by default a tenth of ``count`` and at least 8.
        advance: called after each picture.

    Returns:
        Pictures per folder.

    Raises:
        DataError: if the folder holds a data set already, or can't be written.
    """
    tests = max(8, count // 10) if tests is None else tests
    plan: dict[str, tuple[Season, range]] = {
        "trainA": ("summer", range(count)),
        "trainB": ("winter", range(count, 2 * count)),
        "testA": ("summer", range(2 * count, 2 * count + tests)),
        "testB": ("winter", range(2 * count, 2 * count + tests)),
    }
    taken = [name for name in plan if (folder / name).exists()]
    if taken:
        raise DataError(f"{folder} holds {', '.join(taken)} already; choose another folder or remove it")
    try:
        for name, (season, scenes) in plan.items():
            (folder / name).mkdir(parents=True)
            for index in scenes:
                Image.fromarray(draw_scene(seed, index, size, season)).save(
                    folder / name / _name(index), compress_level=3
                )
                if advance:
                    advance()
    except OSError as error:
        raise DataError(f"{folder} can't be written: {error.strerror or error}") from None
    return {name: len(scenes) for name, (_, scenes) in plan.items()}
