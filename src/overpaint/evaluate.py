"""Held-out figures of a trained model over all test pictures, with the protocol in words."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from overpaint.config import read_yaml
from overpaint.data.catalog import DataConfig, open_sets
from overpaint.data.pictures import still_pictures
from overpaint.errors import DataError
from overpaint.metrics.features import load_squeezenet
from overpaint.metrics.held_out import Figures, HeldOut
from overpaint.predict import Predictor


@dataclass(frozen=True)
class Evaluation:
    """Figures by direction, for the model and for inputs left untouched, and how they were taken."""

    protocol: str
    figures: Figures
    untouched: Figures

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {"protocol": self.protocol, "figures": self.figures, "untouched": self.untouched}


def evaluate(
    predictor: Predictor, data: str | Path | None = None, features: Path | None = None, limit: int | None = None
) -> Evaluation:
    """Measures a model on the test pictures of a data set, brought to the size it was trained on.

    Args:
        predictor: the model.
        data: the data set's folder, or 'seasons'; by default what the model was trained on.
        features: SqueezeNet 1.1 weights for the kernel distance; without them only errors to true answers are taken.
        limit: at most so many pictures of each domain; all by default.

    Raises:
        OverpaintError: if the data are wrong, or there is nothing to measure with.
    """
    settings = _settings(predictor, data is None)
    if data is not None:
        settings["data"] |= {"root": str(data), "a": None, "b": None, "test_a": None, "test_b": None}
    config, seed = DataConfig(**settings["data"]), settings.get("train", {}).get("seed", 0)
    sets = open_sets(config, seed)
    if not sets.answers and features is None:
        raise DataError(
            f"{config.root or config.a}: its pictures have no true answers, so a distance needs features; give SqueezeNet 1.1 "
            "weights with --features FILE (published by torchvision as squeezenet1_1-b8a52dc0.pth)"
        )
    a, b = (
        still_pictures(source, list(range(min(limit or len(source), len(source)))), config.transform())
        for source in (sets.test_a, sets.test_b)
    )
    extractor = load_squeezenet(features) if features else None
    held_out = HeldOut(a, b, sets.answers, extractor, "SqueezeNet 1.1 features" if features else "")
    names = {inner: outer for outer, inner in predictor.info.directions.items()}
    ways = tuple(names)

    def translate(x: Tensor, way: str) -> Tensor:
        return predictor.translate(x, names[way])

    with torch.inference_mode():
        figures, untouched = held_out.measure(translate, ways), held_out.untouched(ways)
    split = "held back from training" if sets.held_out else "training pictures: there is no test set"
    protocol = f"{len(a)} pictures of A and {len(b)} of B ({split}), resized ({config.resize}) to {config.size} px"
    parts = [protocol]
    if sets.answers:
        parts.append("L1 on 0..255, PSNR in dB and SSIM (11 x 11 Gaussian) to the true answers")
    if extractor is not None:
        parts.append("kernel distance x 1000, unbiased, cubic kernel over means of SqueezeNet 1.1 features at 128 px")

    def outer(found: Figures) -> Figures:
        return {names[way]: values for way, values in found.items()}

    return Evaluation("; ".join(parts), outer(figures), outer(untouched))


def _settings(predictor: Predictor, with_folders: bool) -> dict[str, Any]:
    """The settings a model was trained with; where its data lie is told by the run folder only.

    Raises:
        DataError: if that is asked for and the model doesn't lie in its run folder.
    """
    beside = predictor.path.with_name("config.yaml") if predictor.path else None
    if beside and beside.exists():
        return read_yaml(beside)
    if with_folders:
        name = predictor.info.training.get("data", "unknown data")
        raise DataError(
            f"this model was trained on {name}, but does not lie in its run folder; name the data to measure it on"
        )
    return predictor.info.training.get("settings", {"data": {}})
