"""Ctrl-C and SIGTERM as a wish to stop after the step, so that nothing is lost."""

import signal
from types import FrameType
from typing import Any


class StopSignals:
    """While entered, notes the first SIGINT or SIGTERM; a second one acts as usual, for those who can't wait.

    ``received`` is the signal's number or 0. Outside the main thread, where signals can't be caught, it notes nothing.
    """

    def __init__(self) -> None:
        self.received = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._before[number] = signal.signal(number, self._note)
            except ValueError:
                break
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.received:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.received = number
