"""Errors that a person can mend: every message says what came, what is known and what to do, in one line."""


class OverpaintError(Exception):
    """Base of everything that the command line shows as one line instead of a traceback."""


class DataError(OverpaintError):
    """Something about the pictures: a missing folder, an unreadable file, a partner that is not there."""


class ConfigError(OverpaintError):
    """Something about the settings: an unknown name, a value outside its range, two that contradict."""


class ModelFileError(OverpaintError):
    """A file of weights that is not what it should be."""


class RunError(OverpaintError):
    """A run folder that is missing, taken, finished or broken."""


class NotFiniteError(OverpaintError):
    """A loss or a gradient that is not a finite number; raised before any weight is changed by it."""


class MissingExtraError(OverpaintError):
    """An optional dependency that is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; get it with: pip install 'overpaint[{extra}]'")
