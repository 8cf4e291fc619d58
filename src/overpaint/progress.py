"""What a person sees while pictures are loaded, trained on and translated."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol


class Progress(Protocol):
    """Where a run tells how it goes; the library itself prints nothing."""

    def say(self, text: str) -> None:
        """One sentence."""
        ...

    def train(self, pictures: int, total: int, losses: dict[str, float], rate: float) -> None:
        """Pictures seen and still to see, mean losses of late, pictures per second."""
        ...


class Silent:
    """Tells nobody."""

    def say(self, text: str) -> None:
        """Does nothing."""

    def train(self, pictures: int, total: int, losses: dict[str, float], rate: float) -> None:
        """Does nothing."""


class Terminal:
    """A progress bar where there is a terminal, a line every half minute where there is none."""

    def __init__(self) -> None:
        from rich.console import Console

        # Of several processes only the first speaks.
        quiet = os.environ.get("LOCAL_RANK", "0") != "0" or os.environ.get("RANK", "0") != "0"
        self.console = Console(quiet=quiet, highlight=False, soft_wrap=True)
        self._bar: Any = None
        self._task: Any = None
        self._last = 0.0

    def say(self, text: str) -> None:
        """One line; Rich's markup in paths is left alone."""
        self.console.print(text, markup=False)

    @contextmanager
    def shown(self) -> Iterator["Terminal"]:
        """Shows the bar for the length of a block."""
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        if not self.console.is_terminal:
            yield self
            return
        columns = [
            TextColumn("{task.completed}/{task.total} pictures"), BarColumn(bar_width=24), TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(), TextColumn("{task.fields[losses]}"),
        ]  # fmt: skip
        with Bar(*columns, console=self.console) as bar:
            self._bar = bar
            try:
                yield self
            finally:
                self._bar = self._task = None

    def train(self, pictures: int, total: int, losses: dict[str, float], rate: float) -> None:
        """Moves the bar."""
        text = " ".join(f"{name} {value:.2f}" for name, value in losses.items())
        if self._bar is not None:
            fields = {"rate": f"{rate:.1f}/s", "losses": text}
            if self._task is None:
                self._task = self._bar.add_task("", total=total, completed=pictures, **fields)
            self._bar.update(self._task, completed=pictures, **fields)
        elif time.monotonic() - self._last > 30 or pictures >= total:
            self._last = time.monotonic()
            left = f"{(total - pictures) / rate / 60:.0f} min left" if rate > 0 else ""
            self.say(f"{pictures}/{total} pictures  {rate:.1f}/s  {left}  {text}")
            sys.stdout.flush()
