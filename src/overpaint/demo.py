"""The demonstration: landscapes drawn here, a small CycleGAN, held-back scenes translated and measured, a report."""

import json
import shutil
from pathlib import Path

from overpaint.data.seasons.dataset import write_seasons
from overpaint.errors import RunError
from overpaint.evaluate import Evaluation, evaluate
from overpaint.predict import load
from overpaint.progress import Progress
from overpaint.runs import plan_run, start
from overpaint.session import BEST, CONFIG, REPORT
from overpaint.tables import figures_table
from overpaint.translate import find_inputs, find_outputs, translate_files

# A few minutes on two cores show summer turn into winter; more pictures show it better.
_PICTURES = 900
_SCENES = 300
_SIZE = 64
_MARK = "demo.json"


def run_demo(out: Path, progress: Progress, pictures: int | None = None) -> int:
    """Draws, trains, translates, measures.

    Args:
        out: the run folder; the folder of an earlier demonstration is replaced, any other is refused.
        progress: where to tell how it goes.
        pictures: length of the training.

    Returns:
        The number of the signal that stopped it, or 0.

    Raises:
        OverpaintError: if the folder is taken or can't be written.
    """
    _make_room(out)
    data = out.with_name(f"{out.name}-data")
    progress.say(f"drawing {2 * _SCENES} landscapes into {data}")
    write_seasons(data, _SCENES, _SIZE, seed=0, tests=24)
    plan = plan_run(data, "demo", flags=("--train.pictures", str(pictures or _PICTURES)))
    received = start(plan, out, progress)
    (out / _MARK).write_text(json.dumps({"data": str(data)}), encoding="utf-8")
    if received:
        return received
    predictor = load(out / BEST)
    for direction, source in (("a2b", "testA"), ("b2a", "testB")):
        found = find_outputs(find_inputs([str(data / source)]), out / f"{source}_{direction}")
        for _, error in translate_files(predictor, found, direction):
            if error:
                raise error
    evaluation = evaluate(predictor, data)
    (out / "figures.json").write_text(json.dumps(evaluation.to_dict(), indent=2) + "\n", encoding="utf-8")
    for line in _summary(evaluation, out):
        progress.say(line)
    return 0


def _make_room(out: Path) -> None:
    data = out.with_name(f"{out.name}-data")
    for folder, mark in ((out, out / _MARK), (data, out / _MARK)):
        if folder.exists() and not mark.exists() and not _unfinished(out):
            raise RunError(f"{folder} exists and is not an earlier demonstration's; choose another --out or remove it")
    for folder in (data, out):
        shutil.rmtree(folder, ignore_errors=True)


def _unfinished(out: Path) -> bool:
    """Whether a demonstration was killed before it could leave its mark."""
    config = out / CONFIG
    return config.exists() and f"{out.name}-data" in config.read_text(encoding="utf-8")


def _summary(evaluation: Evaluation, out: Path) -> list[str]:
    return [
        "",
        figures_table(evaluation.figures, evaluation.untouched),
        evaluation.protocol,
        f"summer turned into winter: {out / 'testA_a2b'}; winter into summer: {out / 'testB_b2a'}",
        f"report: {out / REPORT}",
    ]
