"""Presets, files and flags: each preset parsed and stepped, strict names, what a file can say."""

from dataclasses import asdict
from pathlib import Path

import pytest
import torch
import yaml

from overpaint.batch import Batch
from overpaint.cli import main
from overpaint.errors import ConfigError
from overpaint.models import build_model
from overpaint.presets import preset_files, preset_summaries
from overpaint.settings import choose, parse_run, read_preset
from overpaint.trainer import Trainer

PRESETS = [
    "cyclegan-128",
    "cyclegan-256",
    "cyclegan-tiny",
    "demo",
    "pix2pix-128",
    "pix2pix-256",
    "pix2pix-tiny",
    "season-seed",
]


def test_these_are_the_presets(capsys):
    assert sorted(preset_files()) == PRESETS
    assert all(len(summary) > 30 for _, summary in preset_summaries())
    assert main(["presets"]) == 0
    assert all(name in capsys.readouterr().out for name in ["cyclegan-256"])


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_is_parsed_and_stepped(name: str):
    """One real step at the preset's own size, networks and losses; the batch of the seed is cut to 2."""
    run = parse_run(
        read_preset(name), ["--train.accelerator", "cpu", "--train.batch", "1" if name != "season-seed" else "2"]
    )
    # What a preset leaves unsaid may change with the defaults: all that the papers say is said.
    assert set(read_preset(name)) == {"data", "model", "generator", "discriminator", "train"}
    torch.manual_seed(0)
    trainer = Trainer(build_model(run.model), run.train, "32-true")
    size, count = run.data.size, run.train.batch
    result = trainer.step(Batch(torch.rand(count, 3, size, size) * 2 - 1, torch.rand(count, 3, size, size) * 2 - 1))
    assert all(torch.isfinite(loss) for loss in result.losses.values())
    assert result.pictures["fake_b"].shape == (count, 3, size, size)


@pytest.mark.parametrize("name", ["cyclegan-256", "cyclegan-128"])
def test_cyclegan_as_published(name: str):
    run = parse_run(read_preset(name))
    assert run.model.generator == {
        "name": "resnet", "width": 64, "blocks": 9 if name.endswith("256") else 6, "norm": "instance", "upsample": "transposed",
        "padding": "reflect", "dropout": 0.0, "skip": "none",
    }  # fmt: skip
    assert run.model.options == {
        "gan": "least-squares", "lambda_cycle_a": 10.0, "lambda_cycle_b": 10.0, "lambda_identity": 0.5, "lambda_gp": 10.0, "pool": 50,
    }  # fmt: skip
    train = run.train
    assert (train.lr, train.beta1, train.beta2, train.batch, train.epochs, train.decay) == (
        2e-4,
        0.5,
        0.999,
        1,
        200,
        0.5,
    )
    assert (run.data.size, run.data.transform().load_size) == ((256, 286) if name.endswith("256") else (128, 143))


def test_pix2pix_as_published():
    run = parse_run(read_preset("pix2pix-256"))
    assert run.model.generator == {"name": "unet", "width": 64, "downs": 8, "norm": "batch", "dropout": 0.5}
    assert run.model.discriminator == {"name": "patchgan", "width": 64, "layers": 3, "norm": "batch"}
    assert run.model.options["lambda_l1"] == 100 and run.model.options["gan"] == "cross-entropy"


def test_what_is_written_is_read_back():
    run = parse_run(read_preset("pix2pix-tiny"), ["--data.size=64", "--train.lr", "1e-4", "--train.clip", "1"])
    again = parse_run(yaml.safe_load(run.to_yaml()))
    assert again == run
    assert again.train.lr == 1e-4 and again.train.clip == 1.0


def test_a_file_over_a_preset_and_flags_over_both(tmp_path: Path):
    (tmp_path / "mine.yaml").write_text("data: {size: 32}\ntrain: {lr: 0.001, batch: 4}\n")
    run, _ = choose("seasons", "cyclegan-tiny", tmp_path / "mine.yaml", ["--train.batch", "2"])
    assert (run.data.size, run.train.lr, run.train.batch) == (32, 0.001, 2)
    assert run.model.generator["width"] == 32


def test_another_generator_takes_none_of_the_old_ones_options():
    run = parse_run(
        read_preset("cyclegan-tiny"),
        ["--generator.name", "unet", "--generator.downs", "6", "--generator.norm", "instance"],
    )
    assert run.model.generator == {"name": "unet", "width": 64, "downs": 6, "norm": "instance", "dropout": 0.5}


def test_a_model_and_data_that_do_not_fit_are_told(unpaired: Path):
    with pytest.raises(ConfigError, match="learns from pairs"):
        choose(str(unpaired), "pix2pix-tiny", None)


def test_pairs_may_be_taken_apart(paired: Path):
    run, _ = choose(str(paired), "cyclegan-tiny", None)
    assert run.data.kind == "unpaired"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- 1\n- 2\n", "not settings by section"),
        ("data: 3\n", "not a section"),
        ("data: {size: {}\n", "can't be read as YAML"),
        ("traim: {lr: 1}\n", "traim.lr"),
        ("train: {lr: fast}\n", "train.lr"),
        ("train: {ema: 1.5}\n", "train.ema"),
        ("data: {load_size: 10, size: 64}\n", "data.load_size"),
    ],
)
def test_mistakes_in_a_file(text: str, words: str, tmp_path: Path):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        choose("seasons", "cyclegan-tiny", tmp_path / "mine.yaml")


def test_settings_are_frozen():
    run = parse_run(read_preset("cyclegan-tiny"))
    with pytest.raises(AttributeError):
        run.data.size = 3  # type: ignore[misc]
    assert asdict(run.data)["size"] == 64


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "season-seed"])
def test_another_size_keeps_the_scale_of_the_crop(name: str):
    assert parse_run(read_preset(name), ["--data.size", "64"]).data.transform().load_size == 72
