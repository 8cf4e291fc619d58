"""One stretch of a run, from where it stands to its end or to a signal: steps, log, samples, figures, saves."""

import json
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from overpaint.checkpoint import ModelInfo, save_model, save_state
from overpaint.data.loader import batches
from overpaint.data.pictures import PairedPictures, UnpairedPictures
from overpaint.errors import DataError, NotFiniteError
from overpaint.interrupts import StopSignals
from overpaint.logs import RunLog
from overpaint.metrics.held_out import HeldOut
from overpaint.models import StepResult
from overpaint.progress import Progress
from overpaint.report import write_report
from overpaint.samples import draw_grid, grid_tensor, sample_columns, write_animation
from overpaint.settings import RunConfig
from overpaint.trainer import Trainer

STATE, MODEL, BEST, CONFIG, REPORT = "state.pt", "model.safetensors", "best.safetensors", "config.yaml", "report.html"


@dataclass
class Stills:
    """The fixed held-back pictures of the sample grids, uint8."""

    a: list[Tensor]
    b: list[Tensor]
    answers: bool


class Session:
    """Runs a trainer over its data and keeps the run folder.

    Args:
        folder: the run folder.
        config: of the run, complete.
        trainer: at the place where the run stands.
        dataset: the training pictures.
        stills: for the sample grids.
        held_out: for the figure that keeps the best weights.
        info: what the weight files say about themselves.
        progress: where to tell how it goes.
        best: the best figure so far, from the saved state.
    """

    def __init__(
        self,
        folder: Path,
        config: RunConfig,
        trainer: Trainer,
        dataset: UnpairedPictures | PairedPictures,
        stills: Stills,
        held_out: HeldOut,
        info: ModelInfo,
        progress: Progress,
        best: float | None = None,
    ) -> None:
        self.folder, self.config, self.trainer, self.dataset = folder, config, trainer, dataset
        self.stills, self.held_out, self.info, self.progress, self.best = stills, held_out, info, progress, best
        self.total = config.train.pictures or 0
        self.leader = trainer.fabric.is_global_zero
        self._sums: dict[str, Tensor] = {}
        self._count = 0
        self._speed = (time.monotonic(), trainer.pictures)
        self._saved = time.monotonic()

    def run(self) -> int:
        """Trains to the end.

        Returns:
            The number of the signal that stopped it, or 0.

        Raises:
            NotFiniteError: after noting it in the log; the last saved state stays as it is.
            DataError: for a picture that can't be read, after saving.
        """
        train, trainer = self.config.train, self.trainer
        self.log = RunLog(self.folder, trainer.pictures) if self.leader else None
        try:
            with StopSignals() as signals:
                self._note(
                    "start",
                    total=self.total,
                    model=self.config.model.name,
                    environment=self.info.training["environment"],
                )
                if trainer.pictures == 0:
                    self._begin()
                self._speed = (time.monotonic(), trainer.pictures)
                loader = batches(
                    self.dataset,
                    start=trainer.pictures,
                    stop=self.total,
                    batch=train.batch,
                    workers=self.config.data.workers,
                    rank=trainer.fabric.global_rank,
                    world=trainer.fabric.world_size,
                    pin=trainer.device.type == "cuda",
                )
                finished = trainer.run(loader, self._after, lambda: self._stopping(signals))
                self._log_losses()
                if finished:
                    self._finish()
                else:
                    self._save()
                return signals.received
        except NotFiniteError as error:
            self._note("stopped", reason=str(error))
            self._report()
            raise
        except DataError as error:
            self._note("stopped", reason=str(error))
            self._save()  # between two steps: nothing that was learnt is lost
            raise
        finally:
            if self.log:
                self.log.close()

    def _stopping(self, signals: StopSignals) -> bool:
        """Whether any process got a signal: all stop after the same step."""
        if self.trainer.fabric.world_size > 1:
            received = self.trainer.fabric.all_reduce(
                torch.tensor(float(signals.received), device=self.trainer.device), reduce_op="max"
            )
            signals.received = int(received)  # type: ignore[arg-type]
        return bool(signals.received)

    def _begin(self) -> None:
        untouched = self.held_out.untouched(self.trainer.model.directions)
        if untouched:
            self._note("untouched", figures=untouched, figure=self.held_out.name)
        self._evaluate()
        self._sample()
        self._save()

    def _finish(self) -> None:
        last = self.trainer.pictures
        if not self._crossed(self.config.train.evaluate_every, last):
            self._evaluate()
        if not self._crossed(self.config.train.sample_every, last):
            self._sample()
        self._save()

    def _after(self, result: StepResult) -> None:
        """What follows a step: every so many pictures a log entry, a grid, a figure; every so many minutes a save."""
        train, pictures = self.config.train, self.trainer.pictures
        for name, value in result.losses.items():
            self._sums[name] = self._sums.get(name, torch.zeros((), device=value.device)) + value
        self._count += 1
        if self._crossed(train.log_every, pictures):
            self._log_losses()
        if self._crossed(train.sample_every, pictures):
            self._sample()
        if self._crossed(train.evaluate_every, pictures):
            self._evaluate()
            self._save()
        elif time.monotonic() - self._saved > 60 * train.save_minutes:
            self._save()

    def _crossed(self, every: int | None, pictures: int) -> bool:
        """Whether a multiple of ``every`` lies within the last step."""
        return bool(every) and pictures // every > (pictures - self.trainer.pictures_per_step) // every  # type: ignore[operator]

    def _log_losses(self) -> None:
        if self._count == 0:
            return
        losses = {name: round(float(value) / self._count, 6) for name, value in self._sums.items()}
        self._sums, self._count = {}, 0
        now, pictures = time.monotonic(), self.trainer.pictures
        rate = (pictures - self._speed[1]) / max(1e-9, now - self._speed[0])
        self._speed = (now, pictures)
        if self.leader:
            self._note(
                "train", losses=losses, pictures_per_second=round(rate, 3), seconds=round(self.trainer.seconds, 1)
            )
            self.progress.train(pictures, self.total, losses, rate)

    def _evaluate(self) -> None:
        """Takes the held-out figure and keeps the best weights; draws nothing at random."""
        begun = time.monotonic()
        model = self.trainer.model
        device = self.trainer.device
        with self._kept_weights():
            figures = self.held_out.measure(lambda x, way: model.translate(x.to(device), way), model.directions)
        score = self.held_out.score(figures)
        if self.best is None or score < self.best:
            self.best = score
            self._save_model(BEST, score)
        self._note("evaluate", score=score, figures=figures, figure=self.held_out.name, best=self.best)
        self._leave_out(begun)

    def _leave_out(self, begun: float) -> None:
        """Takes the time since ``begun`` out of the pictures per second: it is not spent on pictures."""
        self._speed = (self._speed[0] + time.monotonic() - begun, self._speed[1])

    def _sample(self) -> None:
        if not self.leader:
            return
        begun = time.monotonic()
        with self._kept_weights():
            columns = sample_columns(self.trainer.model, self.stills.a, self.stills.b, self.stills.answers)
        grid, layout = draw_grid(columns)
        folder = self.folder / "samples"
        folder.mkdir(exist_ok=True)
        pictures = self.trainer.pictures
        grid.save(folder / f"{pictures:09d}.png")
        (folder / "layout.json").write_text(json.dumps(layout.to_dict()), encoding="utf-8")
        if self.log:
            self.log.picture("samples", grid_tensor(grid), pictures)
        self._leave_out(begun)

    def _save(self) -> None:
        """Weights and state, each written beside and renamed."""
        begun = self._saved = time.monotonic()
        if not self.leader:
            return
        self._save_model(MODEL, self.best)
        save_state(self.folder / STATE, {**self.trainer.state_dict(), "best": self.best})
        self._report()
        self._leave_out(begun)

    def _save_model(self, name: str, score: float | None) -> None:
        if not self.leader:
            return
        model = self.trainer.model
        training = self.info.training | {
            "pictures": self.trainer.pictures,
            "seconds": round(self.trainer.seconds, 1),
            "held_out": {"figure": self.held_out.name, "score": score} if name == BEST else None,
        }
        info = ModelInfo(spec=self.info.spec, directions=self.info.directions, size=self.info.size, training=training)
        with self._kept_weights():
            save_model(self.folder / name, {way: model.generator(way) for way in model.directions}, info)

    def _kept_weights(self) -> AbstractContextManager[None]:
        """The weights that users get: the average where there is one."""
        return self.trainer.ema.applied() if self.trainer.ema else nullcontext()

    def _note(self, event: str, **values: Any) -> None:
        if self.log:
            self.log.write(event, self.trainer.pictures, **values)

    def _report(self) -> None:
        if not self.leader:
            return
        write_animation(self.folder / "samples", self.folder / "samples.webp")
        write_report(self.folder, self.folder / REPORT)
