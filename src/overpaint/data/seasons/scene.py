"""What stands where in a landscape: drawn once per scene, painted once per season."""

from dataclasses import dataclass

import numpy as np

from overpaint.data.seasons.noise import Array, Rng, line_noise, plane_noise, scene_rng, smoothstep


@dataclass
class Ridge:
    """A range of hills: its skyline and how far away it is (1 farthest, 0 at the meadow)."""

    mask: Array
    above: Array
    distance: float
    forest: float


@dataclass
class Tree:
    """A tree by its foot, height and kind; ``twigs`` are branches (x0, y0, x1, y1, thickness), ``leaves`` blobs (x, y, r, shade)."""

    x: float
    y: float
    height: float
    conifer: bool
    lean: float
    shade: float
    tiers: list[tuple[float, float, float, float]]
    twigs: list[tuple[float, float, float, float, float]]
    leaves: list[tuple[float, float, float, float]]


@dataclass
class Scene:
    """The geometry of a landscape on a square canvas of ``side`` pixels; lengths are fractions of the side."""

    side: int
    horizon: float
    sun_x: float
    sun_high: float
    sun_low: float
    hue: Array
    clouds: Array
    rock: Array
    ground: Array
    tufts: Array
    ridges: list[Ridge]
    lake: Array | None
    cracks: list[list[tuple[float, float]]]
    treeline: list[tuple[float, float, float]]
    trees: list[Tree]
    flowers: list[tuple[float, float, float]]


def compose(seed: int, index: int, side: int) -> Scene:
    """Draws the geometry of scene number ``index``; the same for both seasons and, in proportion, for every size."""
    rng = scene_rng(seed, index)
    horizon = 0.44 + 0.16 * rng.random()
    sun_x, sun_high, sun_low = (
        0.1 + 0.8 * rng.random(),
        0.06 + 0.14 * rng.random(),
        horizon - 0.10 - 0.10 * rng.random(),
    )
    hue = rng.random(12, dtype=np.float32) - np.float32(0.5)
    cover = 0.40 + 0.25 * rng.random()
    cloud = plane_noise(rng, side, 7, 3, 4)
    clouds = smoothstep((cloud - np.float32(cover)) * np.float32(5))
    rock = plane_noise(rng, side, 8, 6, 4, 0.6)
    ground, tufts = _ground(rng, side, horizon)
    ridges = _ridges(rng, side, horizon)
    lake = _lake(rng, side, horizon) if rng.random() < 0.6 else None
    return Scene(
        side=side,
        horizon=horizon,
        sun_x=sun_x,
        sun_high=sun_high,
        sun_low=sun_low,
        hue=hue,
        clouds=clouds,
        rock=rock,
        ground=ground,
        tufts=tufts,
        ridges=ridges,
        lake=lake,
        cracks=_cracks(rng, horizon) if lake is not None else [],
        treeline=_treeline(rng, horizon),
        trees=_trees(rng, horizon, lake),
        flowers=_flowers(rng, horizon, lake),
    )


def _ridges(rng: Rng, side: int, horizon: float) -> list[Ridge]:
    rows = (np.arange(side, dtype=np.float32)[:, None] + np.float32(0.5)) / np.float32(side)
    ridges = []
    count = 2 + int(rng.integers(0, 3))
    for number in range(count):
        distance = 1.0 - number / count
        tall = (0.10 + 0.26 * rng.random()) * (0.35 + 0.65 * distance)
        profile = line_noise(rng, side, 3 + number, 5, 0.5)
        sky = np.float32(horizon - 0.02 * distance) - np.float32(tall) * (profile * np.float32(1.5) - np.float32(0.25))
        above = rows - sky[None, :]  # how far below its own skyline a pixel lies
        mask = np.minimum(np.maximum(above * np.float32(side) + np.float32(0.5), 0), 1)
        ridges.append(Ridge(mask, above, distance, 0.25 + 0.6 * rng.random()))
    return ridges


def _ground(rng: Rng, side: int, horizon: float) -> tuple[Array, Array]:
    """Meadow texture seen at a slant: rows crowd towards the horizon. Coarse patches, and fine tufts."""
    patches, fine = plane_noise(rng, side, 6, 5, 3), plane_noise(rng, side, 32, 24, 2, 0.8)
    rows = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side)
    depth = np.maximum(rows - np.float32(horizon), np.float32(0)) + np.float32(0.2)
    slant = (np.float32(0.2) / depth) * np.float32(side - 1)
    place = np.minimum(np.maximum(np.float32(side - 1) - slant, 0), side - 1).astype(np.intp)
    return patches[place], fine[place]


def _lake(rng: Rng, side: int, horizon: float) -> Array:
    """A soft-edged mask with a wavy shore, wholly below the horizon."""
    rows = ((np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side))[:, None]
    columns = rows.T
    wide, deep = 0.22 + 0.3 * rng.random(), 0.05 + 0.09 * rng.random()
    middle_x, middle_y = 0.15 + 0.7 * rng.random(), horizon + 0.04 + deep + 0.12 * rng.random()
    shore = plane_noise(rng, side, 6, 4, 3) * np.float32(0.8)
    across, down = (columns - np.float32(middle_x)) / np.float32(wide), (rows - np.float32(middle_y)) / np.float32(deep)
    inside = np.float32(1.3) - across * across - down * down - shore
    below = np.minimum(np.maximum((rows - np.float32(horizon + 0.01)) * np.float32(side), 0), 1)
    return smoothstep(inside * np.float32(4)) * below


def _cracks(rng: Rng, horizon: float) -> list[list[tuple[float, float]]]:
    """Broken lines across the ice."""
    lines = []
    for _ in range(3 + int(rng.integers(0, 4))):
        x, y = float(rng.random()), horizon + (1 - horizon) * 0.5 * float(rng.random())
        line = [(x, y)]
        for _ in range(4):
            x, y = x + 0.16 * (float(rng.random()) - 0.5), y + 0.05 * (float(rng.random()) - 0.4)
            line.append((x, y))
        lines.append(line)
    return lines


def _treeline(rng: Rng, horizon: float) -> list[tuple[float, float, float]]:
    """Distant conifers in groups along the horizon: foot x, foot y, height."""
    trees = []
    for _ in range(2 + int(rng.integers(0, 4))):
        middle, spread = float(rng.random()), 0.05 + 0.15 * float(rng.random())
        for _ in range(5 + int(rng.integers(0, 8))):
            x = middle + spread * (2 * float(rng.random()) - 1)
            trees.append((x, horizon + 0.004 + 0.02 * float(rng.random()), 0.035 + 0.05 * float(rng.random())))
    return sorted(trees, key=lambda tree: tree[1])


def _trees(rng: Rng, horizon: float, lake: Array | None) -> list[Tree]:
    """Trees on the meadow, far ones first; none stands in the lake."""
    trees = []
    for _ in range(7 + int(rng.integers(0, 9))):
        near = float(rng.random())
        x, y = float(rng.random()), horizon + 0.03 + (0.93 - horizon) * near * near
        conifer = rng.random() < 0.5
        height = (0.16 + 0.68 * (y - horizon)) * (0.75 + 0.5 * float(rng.random()))
        tree = _conifer(rng, x, y, height * 1.1) if conifer else _broad_leaved(rng, x, y, height)
        if lake is None or not _wet(lake, x, y):
            trees.append(tree)
    return sorted(trees, key=lambda tree: tree.y)


def _wet(lake: Array, x: float, y: float) -> bool:
    side = lake.shape[0]
    return bool(lake[min(side - 1, int(y * side)), min(side - 1, int(x * side))] > 0.2)


def _conifer(rng: Rng, x: float, y: float, height: float) -> Tree:
    """Tiers of branches (top, bottom, left, right), wider and lower each, ragged at both ends."""
    tiers = []
    count = 5 + int(rng.integers(0, 3))
    for number in range(count):
        top = y - height + height * 0.86 * number / count
        wide = height * (0.07 + 0.20 * (number + 1) / count)
        left, right = (wide * (0.8 + 0.4 * float(rng.random())) for _ in range(2))
        tiers.append((top, top + height * 1.5 / count, x - left, x + right))
    return Tree(x, y, height, True, 0.0, float(rng.random()), tiers, [], [])


def _broad_leaved(rng: Rng, x: float, y: float, height: float) -> Tree:
    """A trunk that forks three times; leaves stand around the ends of the twigs."""
    lean = 0.2 * (float(rng.random()) - 0.5)
    twigs: list[tuple[float, float, float, float, float]] = []
    leaves: list[tuple[float, float, float, float]] = []
    fork_x, fork_y = x + lean * height * 0.4, y - height * 0.36
    twigs.append((x, y, fork_x, fork_y, height * 0.055))
    shoots = [(fork_x, fork_y, lean, 0.30 * height, height * 0.032)]
    for level in range(3):
        grown = []
        for sx, sy, slope, length, thick in shoots:
            for turn in (-0.75, 0.05, 0.75) if level == 0 else (-0.6, 0.6):
                way = slope + turn * (0.6 + 0.6 * float(rng.random()))
                # A step of about ``length`` along the slope, without a square root: |(way, 1)| is near 1 + way^2 / 3.
                reach = length * (0.75 + 0.4 * float(rng.random())) / (1 + way * way / 3)
                ex, ey = sx + way * reach, sy - reach
                twigs.append((sx, sy, ex, ey, thick))
                grown.append((ex, ey, way, length * 0.62, thick * 0.6))
                if level:
                    size = height * (0.085 + 0.065 * float(rng.random()))
                    leaves.append((ex, ey, size, float(rng.random())))
        shoots = grown
    return Tree(x, y, height, False, lean, float(rng.random()), [], twigs, leaves)


def _flowers(rng: Rng, horizon: float, lake: Array | None) -> list[tuple[float, float, float]]:
    """Specks on the meadow: x, y and which colour."""
    flowers = []
    for _ in range(int(rng.integers(0, 60))):
        near = float(rng.random())
        x, y, colour = float(rng.random()), horizon + 0.08 + (0.92 - horizon) * near, float(rng.random())
        if lake is None or not _wet(lake, x, y):
            flowers.append((x, y, colour))
    return flowers
