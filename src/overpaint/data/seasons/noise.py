"""Value noise in one and two dimensions, by exact arithmetic only."""

from functools import lru_cache

import numpy as np

Rng = np.random.Generator
Array = np.ndarray


def scene_rng(seed: int, index: int) -> Rng:
    """The random numbers of one scene; no scene's depend on another's."""
    return np.random.Generator(np.random.Philox(key=[seed & 0xFFFFFFFF, index]))


def smoothstep(x: Array) -> Array:
    """0 below 0, 1 above 1, a cubic between."""
    x = np.minimum(np.maximum(x, np.float32(0)), np.float32(1))
    return x * x * (np.float32(3) - np.float32(2) * x)


@lru_cache(maxsize=256)
def _cells(length: int, cells: int) -> tuple[Array, Array]:
    """For each of ``length`` pixels: the grid cell it lies in, and the smoothed place within it."""
    place = (np.arange(length, dtype=np.float32) + np.float32(0.5)) * np.float32(cells) / np.float32(length)
    cell = place.astype(np.intp)
    return cell, smoothstep(place - cell.astype(np.float32))


def line_noise(rng: Rng, length: int, cells: int, octaves: int, roughness: float = 0.5) -> Array:
    """Fractal noise along a line: float32 (length,), about 0 to 1."""
    total = np.zeros(length, np.float32)
    weight, weights = 1.0, 0.0
    for _ in range(octaves):
        grid = rng.random(cells + 1, dtype=np.float32)
        cell, place = _cells(length, cells)
        total += np.float32(weight) * (grid[cell] + (grid[cell + 1] - grid[cell]) * place)
        weights += weight
        weight *= roughness
        cells *= 2
    return total / np.float32(weights)


def plane_noise(rng: Rng, side: int, rows: int, columns: int, octaves: int, roughness: float = 0.5) -> Array:
    """Fractal noise over a square: float32 (side, side), about 0 to 1, with ``rows`` x ``columns`` cells at first."""
    total = np.zeros((side, side), np.float32)
    weight, weights = 1.0, 0.0
    for _ in range(octaves):
        grid = rng.random((rows + 1, columns + 1), dtype=np.float32)
        cell, place = _cells(side, columns)
        wide = grid[:, cell] + (grid[:, cell + 1] - grid[:, cell]) * place
        cell, place = _cells(side, rows)
        place = place[:, None]
        total += np.float32(weight) * (wide[cell] + (wide[cell + 1] - wide[cell]) * place)
        weights += weight
        weight *= roughness
        rows, columns = rows * 2, columns * 2
    return total / np.float32(weights)


def lit(height: Array, sideways: float, reach: int) -> Array:
    """Slopes of a height field that face the light: about -1 to 1, from differences over ``reach`` pixels."""
    across = np.empty_like(height)
    across[:, reach:] = height[:, reach:] - height[:, :-reach]
    across[:, :reach] = across[:, reach : 2 * reach]
    down = np.empty_like(height)
    down[reach:] = height[reach:] - height[:-reach]
    down[:reach] = down[reach : 2 * reach]
    return np.clip((across * np.float32(-sideways) - down * np.float32(0.6)) * np.float32(6), -1, 1)
