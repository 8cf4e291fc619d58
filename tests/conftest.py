"""Small real things that many tests share: drawn data sets, pairs, a trained run."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from overpaint.cli import main
from overpaint.data.seasons.dataset import draw_scene, write_seasons

# Settings of the smallest networks: they learn nothing, but go through everything.
SMALL_CYCLEGAN = [
    "--generator.width", "4", "--generator.blocks", "1", "--discriminator.width", "4", "--discriminator.layers", "2",
]  # fmt: skip
SMALL_PIX2PIX = ["--generator.width", "4", "--generator.downs", "4", "--discriminator.width", "4"]
SHORT = [
    "--data.size", "32", "--train.accelerator", "cpu", "--train.precision", "32-true", "--train.samples", "2",
    "--train.evaluate_pictures", "4",
]  # fmt: skip


@pytest.fixture(scope="session")
def unpaired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpaired")
    write_seasons(folder, count=12, size=40, seed=1, tests=4)
    return folder


@pytest.fixture(scope="session")
def paired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paired")
    for split, scenes in (("train", range(12)), ("test", range(12, 16))):
        (folder / split).mkdir()
        for scene in scenes:
            side_by_side(folder / split / f"{scene}.png", scene)
    return folder


def side_by_side(path: Path, scene: int, size: int = 40) -> None:
    """Summer on the left, winter on the right."""
    picture = Image.new("RGB", (2 * size, size))
    picture.paste(Image.fromarray(draw_scene(5, scene, size, "summer")), (0, 0))
    picture.paste(Image.fromarray(draw_scene(5, scene, size, "winter")), (size, 0))
    picture.save(path)


@pytest.fixture(scope="session")
def cyclegan_run(unpaired: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "cyclegan"
    flags = ["--preset", "cyclegan-tiny", *SMALL_CYCLEGAN, *SHORT, "--train.pictures", "6", "--train.sample_every", "2"]
    assert main(["train", str(unpaired), "--out", str(run), *flags]) == 0
    return run


@pytest.fixture(scope="session")
def pix2pix_run(paired: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "pix2pix"
    flags = ["--preset", "pix2pix-tiny", *SMALL_PIX2PIX, *SHORT, "--train.pictures", "6", "--data.direction", "b2a"]
    assert main(["train", str(paired), "--out", str(run), *flags]) == 0
    return run


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that must fail with one clear line, and returns the line."""

    def run(*arguments: str | Path) -> str:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        told = capsys.readouterr().err
        assert status == 1, told
        assert told.count("\n") == 1, told
        assert "Traceback" not in told
        return told.removeprefix("overpaint: error: ").strip()

    return run


def process(*arguments: str | Path, **options: object) -> subprocess.Popen[str]:
    """The command line in a process of its own."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "overpaint", *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,  # type: ignore[call-overload]
    )
