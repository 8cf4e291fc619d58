"""Every command of the README and of docs/data.md does what it says."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from overpaint.cli import main
from overpaint.data.seasons.dataset import draw_scene
from tests.conftest import SHORT, SMALL_CYCLEGAN, SMALL_PIX2PIX
from tests.test_training import StopAfter

ROOT = Path(__file__).parents[1]


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)


def commands() -> list[str]:
    lines = [
        line for name in ("README.md", "docs/data.md") for block in blocks(name, "sh") for line in block.splitlines()
    ]
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


def test_the_two_commands_come_first_and_exist():
    assert commands()[:2] == ["make demo", "make test"]
    for command in ("demo", "test", "test-all", "check"):
        done = subprocess.run(["make", "-n", command], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert (
        "overpaint demo --out runs/demo"
        in subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True).stdout
    )
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_every_command_runs(unpaired: Path, paired: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """As they stand, in their order, but that trainings are cut to a few steps of small networks."""
    monkeypatch.chdir(tmp_path)
    Path("photos").symlink_to(unpaired)
    Path("pairs").symlink_to(paired)
    Path("holiday").mkdir()
    for number, name in enumerate(("picture.jpg", "holiday/1.jpg", "holiday/2.png")):
        Image.fromarray(draw_scene(2, number, 50, "summer")).save(name)
    for command in commands()[2:]:
        words = shlex.split(command)
        assert words[0] == "overpaint", f"{command}: not a command of this package"
        arguments = words[1:]
        if arguments[0] == "train" and not {"--help", "--dry-run"} & set(arguments):
            small = SMALL_PIX2PIX if "pairs" in arguments else SMALL_CYCLEGAN
            arguments += [*small, *SHORT, "--train.pictures", "6"]
            with monkeypatch.context() as patch:
                StopAfter(patch, 3)  # so that there is something to resume
                main(arguments)
            continue
        assert main(arguments) == 0, f"{command}: {capsys.readouterr().err}"
    with Image.open("winter.jpg") as result:
        assert result.size == (50, 50)
    assert sorted(p.name for p in Path("translated").iterdir()) == ["1.jpg", "2.png"]
    assert len(list(Path("landscapes/trainA").iterdir())) == 100
    (code,) = blocks("README.md", "python")
    exec(compile(code, "README.md", "exec"), {})
    with Image.open("winter.png") as result:
        assert result.size == (50, 50)


def test_the_documents_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert target.startswith("https://") or (ROOT / target).is_file(), target
