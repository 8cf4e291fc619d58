"""The log of a run: one JSON object a line, and the same figures for TensorBoard."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import Tensor

from overpaint.errors import MissingExtraError


def read_log(path: Path) -> list[dict[str, Any]]:
    """All entries; a last line that was cut short by a killed process is left out."""
    if not path.exists():
        return []
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entries.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return entries


class RunLog:
    """Appends to ``log.jsonl`` and to TensorBoard's event files.

    Args:
        folder: the run folder.
        pictures: where the run stands; entries beyond it, written after the state that is resumed from, are dropped, so that
            the log reads as if the run had never stopped.
    """

    def __init__(self, folder: Path, pictures: int = 0) -> None:
        try:
            from torch.utils.tensorboard.writer import SummaryWriter
        except ImportError:
            raise MissingExtraError("tensorboard", "train") from None
        self.path = folder / "log.jsonl"
        kept = [entry for entry in read_log(self.path) if entry.get("pictures", 0) <= pictures]
        self.path.write_text("".join(json.dumps(entry) + "\n" for entry in kept), encoding="utf-8")
        self.file = self.path.open("a", encoding="utf-8")
        self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=pictures + 1 if pictures else None)

    def write(self, event: str, pictures: int, **values: Any) -> None:
        """One entry; numbers, and dicts of numbers, are drawn in TensorBoard too."""
        self.file.write(json.dumps({"event": event, "pictures": pictures, **values}) + "\n")
        self.file.flush()
        for name, value in _numbers(values):
            self.board.add_scalar(f"{event}/{name}", value, pictures)

    def picture(self, name: str, picture: Tensor, pictures: int) -> None:
        """A uint8 picture (C, H, W) for TensorBoard."""
        self.board.add_image(name, picture, pictures)

    def close(self) -> None:
        """Flushes and closes both."""
        self.file.close()
        self.board.close()


def _numbers(values: dict[str, Any]) -> Iterable[tuple[str, float]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from ((f"{name}/{key}", number) for key, number in value.items() if isinstance(number, int | float))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield name, value
