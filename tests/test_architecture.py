"""The plan of the house, held against the code: imports point down, files stay small, the overview names every file."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "overpaint"
FILES = sorted(SOURCE.rglob("*.py"))

# Lower knows nothing of higher; docs/overview.md draws the same.
LEVELS = {
    0: ["errors", "registry", "config", "images", "batch", "interrupts", "progress", "charts", "presets"],
    1: ["nets", "losses", "data", "metrics"],
    2: ["models", "convert", "checkpoint", "ema", "logs", "samples", "report", "tables"],
    3: ["trainer", "predict", "settings"],
    4: ["session", "runs", "evaluate", "translate"],
    5: ["demo", "cli", "__main__", "__init__"],
}
LEVEL = {name: level for level, names in LEVELS.items() for name in names}
# What a room must not know, however low it stands.
STRANGERS = {"models": ["data", "trainer", "logs"], "nets": ["losses", "models"], "metrics": ["models", "data"]}


def room(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Rooms of the package that a file imports anywhere, but for type checking."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("overpaint."):
            found.add(node.module.split(".")[1])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_imports_point_down(path: Path):
    own = room(path)
    assert own in LEVEL, f"give {own} a level here and in docs/overview.md"
    if own == "__init__":
        return
    for other in imports(path):
        assert LEVEL[other] <= LEVEL[own], f"{own} (level {LEVEL[own]}) imports {other} (level {LEVEL[other]})"
        assert other not in STRANGERS.get(own, []), f"{own} must not know {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_files_stay_small(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert "util" not in path.stem


def test_no_print_and_no_exit_in_the_library():
    for path in FILES:
        if path.name in ("cli.py", "__main__.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("print", "exit", "quit"), path


def test_the_overview_names_every_file():
    text = (ROOT / "docs" / "overview.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+\.(?:py|html))`", text))
    there = {
        p.relative_to(SOURCE).as_posix()
        for p in SOURCE.rglob("*")
        if p.suffix in (".py", ".html") and p.stat().st_size > 0
    }
    assert named == there
