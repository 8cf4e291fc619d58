"""A registry is a dict whose error lists the names."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import TypeVar

from overpaint.errors import ConfigError

T = TypeVar("T")
Part = TypeVar("Part")


class Registry(dict[str, T]):
    """Names of one kind of part (``generator``, ``model``, ...), filled by explicit imports.

    Args:
        kind: what the entries are, as it should read in an error.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def register(self, name: str) -> Callable[[Part], Part]:
        """Decorator that files a class or function under ``name``."""

        def add(part: Part) -> Part:
            if name in self:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self[name] = part  # type: ignore[assignment]
            return part

        return add

    def __missing__(self, name: str) -> T:
        close = get_close_matches(str(name), self, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ConfigError(f"unknown {self.kind} {name!r}{hint} Known: {', '.join(sorted(self))}")
