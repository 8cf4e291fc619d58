"""Grids of fixed held-back pictures, at true colours, and a moving picture of them over the length of a run."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from overpaint.images import to_float, to_pil, to_uint8
from overpaint.models import Translator

_GAP = 4
_HEAD = 16
_PAPER = (246, 246, 244)
_INK = (40, 40, 40)


@dataclass(frozen=True)
class GridLayout:
    """Where the pictures of a grid stand, for those who cut them out again; lengths in pixels."""

    titles: list[str]
    rows: int
    width: int
    height: int
    gap: int = _GAP
    head: int = _HEAD

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def read(cls, path: Path) -> "GridLayout | None":
        """From a file that ``to_dict`` was written to, if there is one."""
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def sample_columns(
    model: Translator, still_a: list[Tensor], still_b: list[Tensor], answers: bool
) -> list[tuple[str, list[Tensor]]]:
    """Columns of a grid: titles and uint8 pictures (C, H, W).

    Args:
        model: translates; nothing random is drawn.
        still_a: held-back pictures of A, uint8.
        still_b: held-back pictures of B, uint8; answer i belongs to picture i of A where ``answers``.
        answers: whether they do.

    Returns:
        For a CycleGAN A, its translation, and back again, then the same from B; for one direction input, output, and the true
        answer where there is one.
    """

    def run(pictures: list[Tensor], direction: str) -> list[Tensor]:
        device = next(model.parameters()).device
        return [to_uint8(model.translate(to_float(p)[None].to(device), direction)[0].cpu()) for p in pictures]

    fake_b = run(still_a, "a2b")
    if "b2a" not in model.directions:
        columns = [("input", still_a), ("output", fake_b)]
        return [*columns, ("true answer", still_b)] if answers else columns
    fake_a = run(still_b, "b2a")
    return [
        ("A", still_a),
        ("A to B", fake_b),
        ("and back", run(fake_b, "b2a")),
        ("B", still_b),
        ("B to A", fake_a),
        ("and back", run(fake_a, "a2b")),
    ]


def draw_grid(columns: list[tuple[str, list[Tensor]]]) -> tuple[Image.Image, GridLayout]:
    """Titles above columns of pictures, each shown by its own values: no picture is stretched in contrast."""
    rows = min(len(pictures) for _, pictures in columns)
    width = max(picture.shape[2] for _, pictures in columns for picture in pictures)
    height = max(picture.shape[1] for _, pictures in columns for picture in pictures)
    layout = GridLayout([title for title, _ in columns], rows, width, height)
    across, down = len(columns) * (width + _GAP) + _GAP, _HEAD + rows * (height + _GAP)
    grid = Image.new("RGB", (across, down), _PAPER)
    pen = ImageDraw.Draw(grid)
    for column, (title, pictures) in enumerate(columns):
        left = _GAP + column * (width + _GAP)
        pen.text((left + 1, 2), title, fill=_INK)
        for row, picture in enumerate(pictures[:rows]):
            grid.paste(to_pil(picture).convert("RGB"), (left, _HEAD + row * (height + _GAP)))
    return grid, layout


def grid_tensor(grid: Image.Image) -> Tensor:
    """A grid as uint8 (3, H, W)."""
    return (
        torch.frombuffer(bytearray(grid.tobytes()), dtype=torch.uint8).view(grid.height, grid.width, 3).permute(2, 0, 1)
    )


def sample_files(folder: Path) -> list[tuple[int, Path]]:
    """The grids of a run and after how many pictures each was drawn, in order."""
    return sorted((int(path.stem), path) for path in folder.glob("*.png") if path.stem.isdigit())


def write_animation(folder: Path, target: Path, seconds: float = 8.0) -> None:
    """The grids as one animated WebP that stays on the last for a while."""
    files = sample_files(folder)
    if len(files) < 2:
        return
    frames = list(_frames([path for _, path in files]))
    each = max(60, round(1000 * seconds / len(frames)))
    durations = [each] * (len(frames) - 1) + [2000]
    partial = target.with_name(f".{target.name}.partial")
    frames[0].save(
        partial,
        format="WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=0,
        quality=80,
        method=0,
    )
    partial.replace(target)


def _frames(paths: list[Path], most: int = 60) -> Iterator[Image.Image]:
    """At most ``most`` grids, spread over the run."""
    step = max(1, -(-len(paths) // most))
    chosen = paths[::step] if paths[-1] in paths[::step] else [*paths[::step], paths[-1]]
    for path in chosen:
        with Image.open(path) as grid:
            yield grid.convert("RGB")
