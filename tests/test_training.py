"""Runs from beginning to end, resumed bit for bit, stopped by signals and by losses that are not finite."""

import json
import signal
import threading
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from overpaint.batch import Batch
from overpaint.checkpoint import load_model, load_state, save_state
from overpaint.cli import main
from overpaint.ema import Ema
from overpaint.errors import ModelFileError, NotFiniteError, RunError
from overpaint.images import read_picture, resize, to_float, to_uint8
from overpaint.logs import read_log
from overpaint.models import ModelSpec, build_model
from overpaint.predict import load
from overpaint.trainer import TrainConfig, Trainer, learning_rate
from tests.conftest import SHORT, SMALL_CYCLEGAN, SMALL_PIX2PIX, process

CYCLEGAN = ["--preset", "cyclegan-tiny", *SMALL_CYCLEGAN, *SHORT, "--train.ema", "0.9", "--model.pool", "4"]
PIX2PIX = ["--preset", "pix2pix-tiny", *SMALL_PIX2PIX, *SHORT, "--generator.dropout", "0.5"]


class StopAfter:
    """Pretends that a signal came after so many steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
        real = Trainer.run

        def run(trainer, loader, after, stopping):
            taken = 0

            def enough() -> bool:
                nonlocal taken
                taken += 1
                return taken >= steps or stopping()

            return real(trainer, loader, after, enough)

        monkeypatch.setattr(Trainer, "run", run)


def same(one: object, other: object, where: str = "state") -> None:
    """Equal to the last bit, whatever is nested in what."""
    if isinstance(one, torch.Tensor):
        assert isinstance(other, torch.Tensor) and torch.equal(one, other), where
    elif isinstance(one, dict):
        assert isinstance(other, dict) and one.keys() == other.keys(), where
        for key in one:
            if key != "seconds":
                same(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list | tuple):
        assert isinstance(other, list | tuple) and len(one) == len(other), where
        for number, (first, second) in enumerate(zip(one, other)):
            same(first, second, f"{where}[{number}]")
    else:
        assert one == other, where


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("name", ["cyclegan", "pix2pix"])
def test_ten_resume_ten_is_twenty(name, workers, unpaired, paired, tmp_path, monkeypatch):
    data, flags = (unpaired, CYCLEGAN) if name == "cyclegan" else (paired, PIX2PIX)
    flags = [
        *flags,
        "--train.pictures",
        "20",
        "--data.workers",
        str(workers),
        "--train.sample_every",
        "7",
        "--train.log_every",
        "5",
    ]
    assert main(["train", str(data), "--out", str(tmp_path / "straight"), *flags]) == 0
    with monkeypatch.context() as patch:
        StopAfter(patch, 10)
        main(["train", str(data), "--out", str(tmp_path / "parts"), *flags])
    assert load_state(tmp_path / "parts" / "state.pt")["pictures"] == 10
    torch.rand(100)  # whatever else the process drew in between
    assert main(["resume", str(tmp_path / "parts")]) == 0
    straight, parts = (load_state(tmp_path / run / "state.pt") for run in ("straight", "parts"))
    same(straight, parts)
    kept = {"state.pt", "pictures", "model", "optimisers", "ema", "rng", "best"}
    assert kept - {"state.pt"} <= straight.keys()
    one, other = ((tmp_path / run / "model.safetensors").read_bytes()[-5000:] for run in ("straight", "parts"))
    assert one == other
    logs = [
        [e for e in read_log(tmp_path / run / "log.jsonl") if e["event"] == "evaluate"] for run in ("straight", "parts")
    ]
    assert [(e["pictures"], e["score"]) for e in logs[0]] == [(e["pictures"], e["score"]) for e in logs[1]]


def test_a_run_folder_holds_what_it_should(cyclegan_run: Path):
    names = {path.name for path in cyclegan_run.iterdir()}
    assert {
        "config.yaml",
        "log.jsonl",
        "samples",
        "state.pt",
        "model.safetensors",
        "best.safetensors",
        "report.html",
        "tensorboard",
    } <= names
    assert (cyclegan_run / "samples.webp").exists()
    with Image.open(cyclegan_run / "samples.webp") as moving:
        assert getattr(moving, "n_frames", 1) == 4
    assert [p.stem for p in sorted((cyclegan_run / "samples").glob("*.png"))] == [
        "000000000",
        "000000002",
        "000000004",
        "000000006",
    ]
    entries = read_log(cyclegan_run / "log.jsonl")
    assert {"start", "untouched", "train", "evaluate"} <= {entry["event"] for entry in entries}
    assert list((cyclegan_run / "tensorboard").iterdir())
    assert not list(cyclegan_run.rglob("*.partial"))


def test_samples_show_true_colours_in_the_right_columns(cyclegan_run: Path, unpaired: Path):
    """The first column is A as the network sees it, byte for byte; no picture is stretched in contrast."""
    layout = json.loads((cyclegan_run / "samples" / "layout.json").read_text())
    assert layout["titles"] == ["A", "A to B", "and back", "B", "B to A", "and back"]
    grid = read_picture(cyclegan_run / "samples" / "000000006.png")
    top, left = layout["head"], layout["gap"]
    for column, folder in ((0, "testA"), (3, "testB")):
        first = sorted((unpaired / folder).iterdir())[0]
        x = left + column * (layout["width"] + layout["gap"])
        shown = grid[:, top : top + 32, x : x + 32]
        assert torch.equal(shown, resize(read_picture(first), 32, 32))
    # The other columns are what the saved model makes of them.
    translate = load(cyclegan_run).translate
    first = resize(read_picture(sorted((unpaired / "testA").iterdir())[0]), 32, 32)
    fake = to_uint8(translate(to_float(first)[None], "a2b")[0])
    back = to_uint8(translate(to_float(fake)[None], "b2a")[0])
    for column, picture in ((1, fake), (2, back)):
        x = left + column * (layout["width"] + layout["gap"])
        assert torch.equal(grid[:, top : top + 32, x : x + 32], picture)


def test_no_run_is_overwritten_and_a_finished_one_is_told(cyclegan_run: Path, unpaired: Path, tmp_path: Path, refused):
    assert "overpaint resume" in refused("train", unpaired, "--out", cyclegan_run)
    assert "finished" in refused("resume", cyclegan_run)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("do not lose me")
    assert "not an empty folder" in refused("train", unpaired, "--out", tmp_path / "full")


def test_dry_run_writes_nothing(unpaired: Path, tmp_path: Path, capsys):
    assert main(["train", str(unpaired), "--out", str(tmp_path / "run"), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "CycleGAN" in told and "12 + 12 training pictures" in told and "nothing was written" in told
    assert not (tmp_path / "run").exists()


def test_pairs_choose_pix2pix(paired: Path, capsys):
    assert main(["train", str(paired), "--dry-run"]) == 0
    assert "so Pix2Pix" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_finish_the_step_save_and_tell(number, status, unpaired: Path, tmp_path: Path):
    run = tmp_path / "run"
    child = process(
        "train", unpaired, "--out", run, "--preset", "cyclegan-tiny", *SMALL_CYCLEGAN, *SHORT, "--train.pictures", "100000",
        "--data.workers", "1",
    )  # fmt: skip
    wait_for(run / "log.jsonl", '"event": "train"')
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert child.returncode == status, err
    assert f"overpaint resume {run}" in out
    assert "Traceback" not in err
    reached = load_state(run / "state.pt")["pictures"]
    assert reached > 0
    child = process("resume", run)
    time.sleep(0.1)
    wait_for(run / "log.jsonl", f'"pictures": {(reached // 100 + 1) * 100}')
    child.send_signal(number)
    child.communicate(timeout=60)
    assert child.returncode == status
    assert load_state(run / "state.pt")["pictures"] > reached


def test_a_killed_run_goes_on_from_its_last_save(unpaired: Path, tmp_path: Path):
    run = tmp_path / "run"
    flags = [*CYCLEGAN, "--train.pictures", "100000", "--train.evaluate_every", "10", "--train.log_every", "1"]
    child = process("train", unpaired, "--out", run, *flags)
    wait_for(run / "log.jsonl", '"pictures": 25')
    child.kill()
    child.communicate(timeout=60)
    saved = load_state(run / "state.pt")["pictures"]
    assert saved >= 20 and saved % 10 == 0
    load_model(run / "model.safetensors")
    child = process("resume", run)
    wait_for(run / "log.jsonl", f'"pictures": {saved + 30}')
    child.kill()
    child.communicate(timeout=60)
    steps = [entry["pictures"] for entry in read_log(run / "log.jsonl") if entry["event"] == "train"]
    assert steps == sorted(set(steps)), "the log reads as if the run had never stopped"


def wait_for(path: Path, text: str, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if path.exists() and text in path.read_text(encoding="utf-8"):
            return
        time.sleep(0.05)
    raise AssertionError(
        f"{path} never held {text}: {path.read_text(encoding='utf-8')[-500:] if path.exists() else 'missing'}"
    )


def trainer(**settings) -> Trainer:
    torch.manual_seed(0)
    spec = ModelSpec(
        name="cyclegan",
        generator={"name": "resnet", "width": 4, "blocks": 1},
        discriminator={"name": "patchgan", "width": 4, "layers": 2},
    )
    return Trainer(build_model(spec), TrainConfig(pictures=100, accelerator="cpu", **settings), "32-true")


def batch() -> Batch:
    return Batch(torch.rand(1, 3, 32, 32) * 2 - 1, torch.rand(1, 3, 32, 32) * 2 - 1)


def test_a_loss_that_is_not_finite_stops_before_the_update():
    one = trainer()
    one.step(batch())
    before = {key: value.clone() for key, value in one.model.state_dict().items() if isinstance(value, torch.Tensor)}
    broken = batch()
    broken.a[0, 0, 0, 0] = float("nan")
    with pytest.raises(
        NotFiniteError, match=r"the loss of the generators is nan after 1 pictures.*--train\.lr.*32-true"
    ):
        one.step(broken)
    after = one.model.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())


def test_a_gradient_that_is_not_finite_stops_before_the_update(monkeypatch):
    one = trainer()
    before = {key: value.clone() for key, value in one.model.state_dict().items() if isinstance(value, torch.Tensor)}
    weight = next(one.model.get_submodule("g_ab").parameters())
    weight.register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(NotFiniteError, match="gradient of the generators"):
        one.step(batch())
    after = one.model.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())


def test_a_run_that_diverges_keeps_its_last_good_state(unpaired: Path, tmp_path: Path, refused):
    run = tmp_path / "run"
    told = refused(
        "train",
        unpaired,
        "--out",
        run,
        *CYCLEGAN,
        "--train.pictures",
        "400",
        "--train.lr",
        "1e30",
        "--train.evaluate_every",
        "400",
    )
    assert "not" not in told.split()[:1] and "--train.lr" in told
    state = load_state(run / "state.pt")
    assert all(torch.isfinite(v).all() for v in state["model"].values() if isinstance(v, torch.Tensor))
    assert read_log(run / "log.jsonl")[-1]["event"] == "stopped"
    assert "--train.lr" in (run / "report.html").read_text(encoding="utf-8")


def test_learning_rate_is_constant_then_falls_to_nothing():
    config = TrainConfig(pictures=200, decay=0.5, lr=2e-4)
    rates = [learning_rate(config, pictures) for pictures in (0, 99, 100, 150, 199, 200)]
    assert rates == pytest.approx([2e-4, 2e-4, 2e-4, 1e-4, 2e-6, 0.0])
    assert learning_rate(TrainConfig(pictures=200, decay=0.0, lr=2e-4), 199) == 2e-4


def test_the_schedule_reaches_the_optimisers():
    one = trainer(decay=1.0)
    one.pictures = 50
    one.step(batch())
    assert {g["lr"] for o in one._optimisers.values() for g in o.param_groups} == {1e-4}


def test_clipping_bounds_the_gradient():
    one = trainer(clip=1e-3)
    one.step(batch())
    gradients = torch.cat([p.grad.flatten() for p in one.model.get_submodule("d_a").parameters() if p.grad is not None])
    assert float(gradients.norm()) <= 1.01e-3


def test_ema_follows_its_formula():
    network = torch.nn.Linear(2, 2)
    average = Ema({"n": network}, 0.75)
    start = network.weight.detach().clone()
    with torch.no_grad():
        network.weight += 4.0
    average.update()
    assert torch.allclose(average.averages["n"]["weight"], start + 1.0)
    with average.applied():
        assert torch.allclose(network.weight, start + 1.0)
    assert torch.allclose(network.weight, start + 4.0)


def test_weights_that_users_get_are_the_average(unpaired: Path, tmp_path: Path):
    assert main(["train", str(unpaired), "--out", str(tmp_path / "run"), *CYCLEGAN, "--train.pictures", "8"]) == 0
    state = load_state(tmp_path / "run" / "state.pt")
    networks, _ = load_model(tmp_path / "run" / "model.safetensors")
    key = "stem.1.weight"
    assert torch.equal(networks["a2b"].state_dict()[key], state["ema"]["a2b"][key])
    assert not torch.equal(networks["a2b"].state_dict()[key], state["model"][f"g_ab.{key}"])


# Files


def test_damaged_files_are_told(tmp_path: Path, cyclegan_run: Path):
    whole = (cyclegan_run / "model.safetensors").read_bytes()
    for name, data in (("cut", whole[: len(whole) // 2]), ("empty", b""), ("text", b"hello")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ModelFileError, match="not a whole safetensors file"):
            load_model(tmp_path / name)
        with pytest.raises(RunError, match="damaged"):
            load_state(tmp_path / name)


def test_a_state_of_another_format_is_told(tmp_path: Path):
    torch.save({"format": 99}, tmp_path / "state.pt")
    with pytest.raises(RunError, match="format 99"):
        load_state(tmp_path / "state.pt")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path):
    save_state(tmp_path / "state.pt", {"pictures": 1})
    with pytest.raises(RunError, match="can't be written"):
        save_state(tmp_path / "state.pt", {"pictures": Unsaveable()})
    assert load_state(tmp_path / "state.pt")["pictures"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]


def test_whoever_reads_during_a_write_finds_a_whole_file(tmp_path: Path):
    path, seen, stop = tmp_path / "state.pt", [], threading.Event()
    save_state(path, {"pictures": 0, "ballast": torch.zeros(200_000)})

    def read() -> None:
        while not stop.is_set():
            try:
                seen.append(load_state(path)["pictures"])
            except RunError as error:
                seen.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 40):
        save_state(path, {"pictures": number, "ballast": torch.zeros(200_000)})
    stop.set()
    reader.join()
    assert len(seen) > 5 and all(isinstance(value, int) for value in seen), seen


class Unsaveable:
    def __reduce__(self):
        raise OSError(28, "No space left on device")


# Several processes


def test_two_processes_are_one_with_twice_the_batch(unpaired: Path, tmp_path: Path):
    """Gradients are averaged and the batch is shared out: the weights agree but for rounding, and one process speaks."""
    flags = ["--preset", "cyclegan-tiny", *SMALL_CYCLEGAN, *SHORT, "--train.pictures", "8", "--data.load_size", "32"]
    alone = process("train", unpaired, "--out", tmp_path / "alone", *flags, "--train.batch", "2")
    alone.communicate(timeout=120)
    two = process("train", unpaired, "--out", tmp_path / "two", *flags, "--train.devices", "2")
    out, err = two.communicate(timeout=240)
    assert (alone.returncode, two.returncode) == (0, 0), err
    assert out.count("finished:") == 1
    one, other = (load_state(tmp_path / run / "state.pt") for run in ("alone", "two"))
    assert one["pictures"] == other["pictures"] == 8
    for key, value in one["model"].items():
        if isinstance(value, torch.Tensor) and not key.endswith("bias"):  # biases under instance norm drift by rounding
            assert torch.allclose(value, other["model"][key], atol=2e-5), key
