"""Paints a scene in a season: light and colour, snow and ice, leaves and bare branches."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from overpaint.data.seasons.noise import Array, lit, smoothstep
from overpaint.data.seasons.scene import Scene, Tree

Season = Literal["summer", "winter"]
Colour = tuple[float, float, float]
Ink = tuple[int, int, int]


def _colour(*rgb: float) -> Array:
    """A colour that broadcasts over a canvas (3, H, W): planes keep numpy's inner loops long."""
    return np.array(rgb, np.float32)[:, None, None]


def _mix(under: Array, over: Array, share: Array | np.float32) -> Array:
    """``over`` laid on ``under``."""
    return under + (over - under) * share


def paint(scene: Scene, season: Season) -> Array:
    """The scene as a picture: uint8 (side, side, 3)."""
    winter = season == "winter"
    canvas = _sky(scene, winter)
    haze = canvas[:, min(scene.side - 1, int(scene.horizon * scene.side)), None].copy()
    canvas = _hills(scene, canvas, haze, winter)
    land = _meadow(scene, winter)
    rows = np.arange(scene.side, dtype=np.float32)[:, None] + np.float32(0.5)
    below = np.minimum(np.maximum(rows - np.float32(scene.horizon * scene.side) + np.float32(0.5), 0), 1)
    canvas = _mix(canvas, land, below)
    canvas = _draw(canvas, lambda pen: _treeline(pen, scene, winter))
    if scene.lake is not None:
        canvas = _water(scene, canvas, scene.lake, winter)
    canvas = _shadows(scene, canvas, winter)
    canvas = _draw(canvas, lambda pen: _foreground(pen, scene, winter))
    return _light(scene, canvas, winter)


def _sky(scene: Scene, winter: bool) -> Array:
    side, hue = scene.side, scene.hue
    rows = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side)
    fall = np.minimum(rows / np.float32(scene.horizon), 1)[:, None]
    if winter:
        top, low = _colour(140, 160, 190) + hue[0] * 30, _colour(228, 214, 208) + hue[1] * 16
    else:
        top, low = _colour(58, 118, 200) + hue[0] * 30, _colour(180, 211, 236) + hue[1] * 16
    sky = top + (low - top) * fall
    white = _colour(206, 207, 214) if winter else _colour(250, 250, 252)
    shaded = white * np.float32(0.86)
    depth = smoothstep(scene.clouds * np.float32(1.2) - np.float32(0.35))
    return _mix(sky, white + (shaded - white) * depth, scene.clouds * np.float32(0.85 if winter else 0.9))


def _hills(scene: Scene, canvas: Array, haze: Array, winter: bool) -> Array:
    reach = max(1, scene.side // 48)
    towards = 1.0 if scene.sun_x > 0.5 else -1.0
    relief = lit(scene.rock, towards, reach)
    for number, ridge in enumerate(scene.ridges):
        tone = scene.hue[2 + number % 4]
        stone = _colour(118, 110, 104) + tone * 24
        wood = _colour(38, 52, 44) if winter else _colour(50, 88, 44) + tone * 20
        # Forest climbs to a height that differs from place to place; above it stands rock.
        trees = smoothstep((ridge.above * 5 + scene.rock - np.float32(1.1 - ridge.forest)) * np.float32(4))
        body = _mix(stone, wood, trees * np.float32(0.9))
        body = body * (1 + relief * np.float32(0.28))
        if winter:
            # Snow lies on rock but slides off the steep dark faces; the forest holds some.
            lies = smoothstep(
                (np.float32(0.75) - relief * np.float32(-0.5) - scene.rock * np.float32(0.4)) * np.float32(2)
            )
            snow = _colour(236, 238, 246) * (1 + relief * np.float32(0.12))
            body = _mix(body, snow, lies * (1 - trees * np.float32(0.72)))
        else:
            cap = smoothstep((np.float32(0.05) - ridge.above) * np.float32(14) - scene.rock) * np.float32(
                ridge.distance
            )
            body = _mix(body, _colour(240, 242, 246), cap * np.float32(0.8))
        body = _mix(body, haze, np.float32(0.55 * ridge.distance))
        canvas = _mix(canvas, body, ridge.mask)
    return canvas


def _meadow(scene: Scene, winter: bool) -> Array:
    hue = scene.hue
    patches, tufts = scene.ground, scene.tufts
    if winter:
        snow, blue = _colour(240, 241, 247), _colour(196, 208, 228)
        land = _mix(snow, blue, smoothstep(patches * np.float32(2) - np.float32(0.4)))
        stalks = smoothstep((tufts - np.float32(0.74)) * np.float32(8)) * smoothstep((patches - 0.5) * 6)
        return _mix(land, _colour(150, 134, 108), stalks * np.float32(0.7))
    fresh, dry = _colour(92, 140, 52) + hue[6] * 24, _colour(164, 158, 84) + hue[7] * 24
    land = _mix(fresh, dry, smoothstep(patches * np.float32(2.4) - np.float32(0.8)))
    return land * (np.float32(0.72) + tufts * np.float32(0.5))


def _water(scene: Scene, canvas: Array, lake: Array, winter: bool) -> Array:
    side = scene.side
    mirror = np.clip(int(2 * scene.horizon * side) - np.arange(side) - 1, 0, side - 1)
    ripple = ((scene.tufts - np.float32(0.5)) * np.float32(side * 0.03)).astype(np.intp)
    columns = np.clip(np.arange(side)[None, :] + ripple, 0, side - 1)
    mirrored = canvas[:, mirror[:, None], columns]
    if not winter:
        water = mirrored * _colour(0.62, 0.72, 0.80) + _colour(4, 14, 22)
        return _mix(canvas, water, lake)
    ice = _mix(_colour(176, 194, 212), mirrored, np.float32(0.22))
    drifts = smoothstep((scene.ground - np.float32(0.45)) * np.float32(5))
    ice = _mix(ice, _colour(238, 240, 247), drifts * np.float32(0.85))
    cracked = _draw(ice, lambda pen: [_line(pen, side, line, 0.004, (222, 232, 240)) for line in scene.cracks])
    return _mix(canvas, cracked, lake)


def _shadows(scene: Scene, canvas: Array, winter: bool) -> Array:
    """Shadows fall away from the sun: short in summer, long and blue in winter."""
    side = scene.side
    shade = Image.new("L", (side, side))
    pen = ImageDraw.Draw(shade)
    for tree in scene.trees:
        away = (tree.x - scene.sun_x) * (2.6 if winter else 1.0)
        long, wide = tree.height * (0.5 if winter else 0.2), tree.height * (0.10 if winter else 0.22)
        tip_x, tip_y = tree.x + away * long, tree.y + long * 0.35
        body = [(tree.x - wide / 2, tree.y), (tree.x + wide / 2, tree.y), (tip_x + wide, tip_y), (tip_x - wide, tip_y)]
        pen.polygon([(x * side, y * side) for x, y in body], fill=255)
        pen.ellipse(_box(tip_x, tip_y, wide, wide * 0.4, side), fill=255)
    dark = np.asarray(shade).astype(np.float32) / np.float32(255)
    tint = _colour(0.66, 0.74, 0.90) if winter else _colour(0.50, 0.55, 0.55)
    return _mix(canvas, canvas * tint, dark * np.float32(0.8))


def _draw(canvas: Array, strokes: Callable[[ImageDraw.ImageDraw], object]) -> Array:
    """Lets a pen of whole pixels draw on a canvas of floats."""
    pixels = np.minimum(np.maximum(canvas, 0), 255).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    strokes(ImageDraw.Draw(picture))
    return np.ascontiguousarray(np.asarray(picture).transpose(2, 0, 1)).astype(np.float32)


def _box(x: float, y: float, wide: float, high: float, side: int) -> tuple[float, float, float, float]:
    return ((x - wide) * side, (y - high) * side, (x + wide) * side, (y + high) * side)


def _line(pen: ImageDraw.ImageDraw, side: int, points: list[tuple[float, float]], thick: float, fill: Ink) -> None:
    pen.line([(x * side, y * side) for x, y in points], fill=fill, width=max(1, int(thick * side + 0.5)))


def _ink(colour: Colour) -> Ink:
    # Written out: this is called for every leaf.
    return (
        min(255, max(0, int(colour[0]))),
        min(255, max(0, int(colour[1]))),
        min(255, max(0, int(colour[2]))),
    )


def _scaled(colour: Colour, share: float) -> Colour:
    return (colour[0] * share, colour[1] * share, colour[2] * share)


def _treeline(pen: ImageDraw.ImageDraw, scene: Scene, winter: bool) -> None:
    side = scene.side
    for x, y, height in scene.treeline:
        left, right, top = (x - height * 0.24) * side, (x + height * 0.24) * side, (y - height) * side
        pen.polygon(
            [(left, y * side), (x * side, top), (right, y * side)], fill=(44, 56, 52) if winter else (36, 70, 40)
        )
        if winter:
            middle = (y - height * 0.45) * side
            pen.polygon(
                [(left * 0.55 + x * side * 0.45, middle), (x * side, top), (x * side, middle)], fill=(214, 220, 230)
            )


def _foreground(pen: ImageDraw.ImageDraw, scene: Scene, winter: bool) -> None:
    if not winter:
        for x, y, colour in scene.flowers:
            size = 0.003 + 0.006 * (y - scene.horizon)
            fill = (236, 206, 60) if colour < 0.4 else (226, 232, 240) if colour < 0.7 else (176, 84, 150)
            pen.ellipse(_box(x, y, size, size, scene.side), fill=fill)
    for tree in scene.trees:
        draw = _conifer if tree.conifer else _broad_leaved
        draw(pen, scene, tree, winter)


def _conifer(pen: ImageDraw.ImageDraw, scene: Scene, tree: Tree, winter: bool) -> None:
    side = scene.side
    trunk = tree.height * 0.03
    bark = [(tree.x - trunk, tree.y), (tree.x + trunk, tree.y), (tree.x + trunk, tree.y - 0.2 * tree.height)]
    pen.polygon(
        [(x * side, y * side) for x, y in [*bark, (tree.x - trunk, tree.y - 0.2 * tree.height)]], fill=(70, 52, 40)
    )
    base: Colour = (30.0, 52.0, 44.0) if winter else (28.0 + 22 * tree.shade, 78.0 + 20 * tree.shade, 36.0)
    sunny_right = scene.sun_x > tree.x
    for top, bottom, left, right in reversed(tree.tiers):
        tip = (tree.x * side, top * side)
        foot_left, foot, foot_right = (
            (left * side, bottom * side),
            (tree.x * side, bottom * side),
            (right * side, bottom * side),
        )
        light, dark = _ink(_scaled(base, 1.25)), _ink(_scaled(base, 0.8))
        pen.polygon([foot_left, tip, foot], fill=dark if sunny_right else light)
        pen.polygon([foot, tip, foot_right], fill=light if sunny_right else dark)
        if winter:
            # Snow lies on the upper side of each tier, thicker away from the trunk, and leaves needles showing below.
            low = top + (bottom - top) * 0.9
            hang_left, hang_right = left + (tree.x - left) * 0.12, right - (right - tree.x) * 0.12
            load = [tip, (hang_right * side, low * side), (tree.x * side, (low - (low - top) * 0.45) * side)]
            pen.polygon([*load, (hang_left * side, low * side)], fill=(238, 240, 247))


def _broad_leaved(pen: ImageDraw.ImageDraw, scene: Scene, tree: Tree, winter: bool) -> None:
    side = scene.side
    bark: Ink = (74, 60, 54) if winter else (84, 62, 44)
    for x0, y0, x1, y1, thick in tree.twigs:
        _line(pen, side, [(x0, y0), (x1, y1)], thick, bark)
        if winter and thick * side > 0.8:
            lift = thick * 0.45
            _line(pen, side, [(x0, y0 - lift), (x1, y1 - lift)], thick * 0.45, (232, 235, 243))
    if winter:
        return
    base: Colour = (74.0 + 40 * tree.shade, 124.0 + 24 * tree.shade, 44.0)
    towards = 0.25 if scene.sun_x > tree.x else -0.25
    for x, y, size, shade in tree.leaves:
        pen.ellipse(_box(x, y + size * 0.2, size, size * 0.85, side), fill=_ink(_scaled(base, 0.62 + 0.15 * shade)))
    for x, y, size, shade in tree.leaves:
        lit_x, lit_y = x + towards * size, y - size * 0.25
        pen.ellipse(_box(lit_x, lit_y, size * 0.6, size * 0.5, side), fill=_ink(_scaled(base, 0.85 + 0.35 * shade)))


def _light(scene: Scene, canvas: Array, winter: bool) -> Array:
    """The sun and what its height does to everything: high and clear, or low, warm and dim."""
    side = scene.side
    places = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side)
    away_y = places[:, None] - np.float32(scene.sun_low if winter else scene.sun_high)
    away_x = places[None, :] - np.float32(scene.sun_x)
    far = away_x * away_x + away_y * away_y
    above = np.maximum(1 - np.maximum(places - np.float32(scene.horizon), 0) * np.float32(5), 0)[:, None]
    glow = above * (np.float32(0.006) / (far + np.float32(0.006 if winter else 0.012)))
    warm = _colour(255, 226, 184) if winter else _colour(255, 252, 236)
    canvas = _mix(canvas * (_colour(0.84, 0.86, 0.93) if winter else np.float32(1.0)), warm, glow * np.float32(0.75))
    pixels = np.minimum(np.maximum(canvas + np.float32(0.5), 0), 255).astype(np.uint8)
    return np.ascontiguousarray(pixels.transpose(1, 2, 0))
