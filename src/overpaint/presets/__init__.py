"""Settings that come with the package, a YAML file each; its comment says what it is."""

from importlib.resources import files
from pathlib import Path

from overpaint.registry import Registry


def preset_files() -> Registry[Path]:
    """The files by name."""
    known: Registry[Path] = Registry("preset")
    for path in sorted(Path(str(files(__name__))).glob("*.yaml")):
        known[path.stem] = path
    return known


def preset_summaries() -> list[tuple[str, str]]:
    """Names, and the first sentence of each file's comment."""
    summaries = []
    for name, path in preset_files().items():
        comment = [line[1:].strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
        summaries.append((name, " ".join(comment)))
    return summaries
