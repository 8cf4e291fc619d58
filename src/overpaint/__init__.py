"""Turn one kind of picture into another: CycleGAN and Pix2Pix, from training to translated pictures."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from overpaint.errors import OverpaintError
    from overpaint.predict import Predictor, load
    from overpaint.runs import plan_run, resume, start

__version__ = "0.1.0"

# Imported when first asked for, so that "import overpaint" does not wait for torch.
_WHERE = {
    "OverpaintError": "errors",
    "Predictor": "predict",
    "load": "predict",
    "plan_run": "runs",
    "resume": "runs",
    "start": "runs",
}

__all__ = ["OverpaintError", "Predictor", "__version__", "load", "plan_run", "resume", "start"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"overpaint has no {name!r}; it has: {', '.join(__all__)}")
    return getattr(import_module(f"overpaint.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
