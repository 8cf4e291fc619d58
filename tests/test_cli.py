"""The command line as a person meets it: help, errors in one line, exit statuses."""

import subprocess
import sys
import time

import pytest

from overpaint import __version__
from overpaint.cli import main


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("demo", "train", "resume", "translate", "evaluate", "data"))


def test_version(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert __version__ in capsys.readouterr().out


def test_train_help_shows_every_setting(capsys: pytest.CaptureFixture[str]):
    assert main(["train", "--help"]) == 0
    text = capsys.readouterr().out
    assert all(
        flag in text for flag in ("--data.size", "--train.pictures", "--model.lambda_identity", "--generator.upsample")
    )


def test_torch_is_not_imported_for_help():
    code = "import sys, overpaint, overpaint.cli\ntry: overpaint.cli.main(['--help'])\nexcept SystemExit: pass\nassert 'torch' not in sys.modules"
    begun = time.perf_counter()
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
    assert time.perf_counter() - begun < 2.0


def test_python_module_entry():
    done = subprocess.run([sys.executable, "-m", "overpaint", "--version"], capture_output=True, text=True)
    assert done.stdout.strip() == f"overpaint {__version__}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "nowhere", "--out", "x"], ["nowhere", "no such folder"]),
        (["train", "seasons"], ["--out is missing"]),
        (["train", "seasons", "--out", "x", "--preset", "cyclegan-tinny"], ["cyclegan-tiny", "did you mean"]),
        (["train", "seasons", "--out", "x", "--data.sise", "3"], ["--data.sise", "--data.size"]),
        (["train", "seasons", "--out", "x", "--data.size", "many"], ["data.size", "int", "many"]),
        (["train", "seasons", "--out", "x", "--data.size", "30"], ["multiple of 4", "28", "32"]),
        (["train", "seasons", "--out", "x", "--train.pictures", "0"], ["train.pictures", "1 or more"]),
        (["train", "seasons", "--out", "x", "--data.cache", "attic"], ["data.cache", "memory", "attic"]),
        (["train", "seasons", "--out", "x", "--model.name", "cyclegun"], ["cyclegun", "cyclegan", "pix2pix"]),
        (["train", "seasons", "--out", "x", "--generator.name", "resnett"], ["resnett", "resnet"]),
        (["train", "seasons", "--out", "x", "--model.lambda_identity", "-1"], ["lambda_identity", "-1"]),
        (["train", "seasons", "--out", "x", "--config", "nothing.yaml"], ["nothing.yaml", "no such file"]),
        (["train", "seasons", "--out", "x", "--data.channels_a", "1"], ["identity", "1 channels", "lambda_identity"]),
        (["train", "seasons", "--out", "x", "--model.gan", "wgan", "--discriminator.norm", "batch"], ["batch norm"]),
        (["train", "--out", "x"], ["no data", "seasons"]),
        (["train", "seasons", "--out", "x", "--data.size", "16"], ["16 x 16", "data.size", "discriminator.layers"]),
        (["train", "seasons", "--out", "x", "--train.accelerator", "tpu"], ["train.accelerator", "cuda", "tpu"]),
        (["resume", "nowhere"], ["nowhere", "not a run folder"]),
        (["translate", "nowhere", "setup.py", "--out", "x"], ["setup.py", "no such file"]),
        (["evaluate", "nowhere"], ["nowhere", "no such model"]),
        (["report", "nowhere"], ["nowhere", "not a run folder"]),
    ],
)
def test_mistakes_get_one_clear_line(refused, tmp_path, monkeypatch, arguments: list[str], words: list[str]):
    monkeypatch.chdir(tmp_path)
    told = refused(*arguments)
    assert all(word in told for word in words), told
    assert not (tmp_path / "x").exists()


def test_a_wrong_command_line_is_status_2():
    with pytest.raises(SystemExit) as stop:
        main(["translate", "--sideways"])
    assert stop.value.code == 2
