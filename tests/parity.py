"""Replays vectors of the published networks and training steps through overpaint and prints how far they differ.

    python tests/parity.py FILE...

A file is ``NAME.io.pt`` (with ``NAME.pth`` beside it) or a trajectory of CycleGAN or Pix2Pix steps, both as plain tensors. Whatever
architecture, sizes, norms, channels, losses and weights it was made with are read from the file. Exits with 1 if a figure is
beyond its tolerance: outputs of a network 1e-5, losses 1e-4 relative, the picture after the last step 1e-3.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from overpaint.batch import Batch
from overpaint.convert import load_authors, read_authors, recognise
from overpaint.models import ModelSpec, Translator, build_model
from overpaint.nets import GENERATORS
from overpaint.trainer import TrainConfig, Trainer

OUTPUT, LOSS, PICTURE = 1e-5, 1e-4, 1e-3
GAN = {"lsgan": "least-squares", "vanilla": "cross-entropy", "hinge": "hinge", "wgangp": "wgan"}
# The authors' names of losses and ours: their G_A turns A into B, their D_A judges B, their idt_A is G_A on B.
CYCLEGAN_LOSSES = {
    "D_A": "d_b", "G_A": "gan_ab", "cycle_A": "cycle_a", "idt_A": "identity_b",
    "D_B": "d_a", "G_B": "gan_ba", "cycle_B": "cycle_b", "idt_B": "identity_a",
}  # fmt: skip
PIX2PIX_LOSSES = {"G_GAN": "gan", "G_L1": "l1", "D_real": "d_real", "D_fake": "d_fake"}
CYCLEGAN_NETWORKS = {"G_A": "g_ab", "G_B": "g_ba", "D_A": "d_b", "D_B": "d_a"}
PIX2PIX_NETWORKS = {"G": "g_ab", "D": "d_b"}


def replay(path: Path) -> list[tuple[str, float, float]]:
    """Figures of one file: what is compared, the largest difference, the tolerance."""
    vector = torch.load(path, map_location="cpu", weights_only=True)
    if "losses" in vector:
        return replay_steps(vector)
    weights = path.with_name(path.name.removesuffix(".io.pt") + ".pth")
    network = read_authors(torch.load(weights, map_location="cpu", weights_only=True)).eval()
    with torch.no_grad():
        difference = (network(vector["input"]) - vector["output"]).abs().max()
    return [("output", float(difference), OUTPUT)]


def replay_steps(vector: dict[str, Any]) -> list[tuple[str, float, float]]:
    """Trains overpaint's model from the vector's weights on the vector's pictures, by overpaint's own trainer."""
    meta, cyclegan = vector["meta"], vector["meta"]["kind"] == "cyclegan"
    networks, names = (CYCLEGAN_NETWORKS, CYCLEGAN_LOSSES) if cyclegan else (PIX2PIX_NETWORKS, PIX2PIX_LOSSES)
    model = model_of(vector, cyclegan)
    for theirs, ours in networks.items():
        load_authors(getattr(model, ours), vector["init"][theirs])
    beta1, beta2 = meta.get("betas", (0.5, 0.999))
    config = TrainConfig(
        pictures=10**9,
        decay=0.0,
        lr=meta.get("lr", 2e-4),
        beta1=beta1,
        beta2=beta2,
        batch=vector["A"].shape[1],
        accelerator="cpu",
    )
    trainer = Trainer(model, config, "32-true")
    worst = dict.fromkeys(names, 0.0)
    for a, b, theirs in zip(vector["A"], vector["B"], vector["losses"], strict=True):
        losses = trainer.step(Batch(a, b)).losses
        for name, value in theirs.items():
            worst[name] = max(worst.get(name, 0.0), relative(losses.get(names[name]), float(value)))
    figures = [(name, difference, LOSS) for name, difference in worst.items()]
    if "fake_B_after" in vector:
        with torch.no_grad():
            after = model.get_submodule("g_ab")(vector["A"][0])
        figures.append(("fake_B_after", float((after - vector["fake_B_after"]).abs().max()), PICTURE))
    return figures


def model_of(vector: dict[str, Any], cyclegan: bool) -> Translator:
    """A model of the architecture, losses and weights that a vector was made with."""
    meta, init = vector["meta"], vector["init"]
    generator = part(init["G_A" if cyclegan else "G"], dropout=bool(meta.get("dropout", False)))
    discriminator = part(init["D_A" if cyclegan else "D"])
    options: dict[str, Any] = {"gan": GAN[meta["gan"]], "lambda_gp": meta.get("lambda_gp", 0.0)}
    if cyclegan:
        options |= {
            "lambda_cycle_a": meta["lambda_A"],
            "lambda_cycle_b": meta["lambda_B"],
            "lambda_identity": meta["lambda_identity"],
            "pool": meta.get("pool", 50),
        }
    else:
        options["lambda_l1"] = meta["lambda_L1"]
    spec = ModelSpec(
        name=meta["kind"],
        options=options,
        generator=generator,
        discriminator=discriminator,
        channels_a=vector["A"].shape[2],
        channels_b=vector["B"].shape[2],
    )
    return build_model(spec)


def part(state: dict[str, Tensor], dropout: bool = True) -> dict[str, Any]:
    """Name and options of the network that weights belong to."""
    name, options = recognise(state)
    options = {key: value for key, value in options.items() if key not in ("in_channels", "out_channels")}
    if not dropout and name in GENERATORS:
        options["dropout"] = 0.0
    return {"name": name, **options}


def relative(ours: Tensor | None, theirs: float) -> float:
    """Relative difference; a loss that is left out here must be zero there."""
    value = 0.0 if ours is None else float(ours)
    return abs(value - theirs) / max(abs(theirs), 1e-6)


def main(paths: list[str], say: Callable[[str], object] = print) -> int:
    """Replays files on one thread, where rounding is the same each time."""
    files = [Path(path) for path in paths if not path.endswith(".pth")]
    if not files:
        say(__doc__ or "")
        return 2
    threads, failed = torch.get_num_threads(), 0
    torch.set_num_threads(1)
    try:
        for path in files:
            for name, difference, tolerance in replay(path):
                good = difference <= tolerance
                failed += not good
                say(
                    f"{path.name:<36} {name:<14} {difference:.2e}  (tolerance {tolerance:.0e}) {'ok' if good else 'BEYOND'}"
                )
    finally:
        torch.set_num_threads(threads)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
