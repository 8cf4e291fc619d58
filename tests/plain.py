"""The published steps once more, written plainly from the papers and sharing nothing with the package.

Networks are nested ``nn.Sequential`` in the order that the authors' weight files show. From here come vectors in the layouts that
``parity.py`` replays, so that the comparison keeps guard where the authors' own vectors are missing.
"""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def norm(kind: str, channels: int) -> nn.Module:
    return {"instance": nn.InstanceNorm2d, "batch": nn.BatchNorm2d, "none": lambda _: nn.Identity()}[kind](channels)


class Block(nn.Module):
    def __init__(self, channels: int, kind: str) -> None:
        super().__init__()
        bias = kind == "instance"
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=bias), norm(kind, channels), nn.ReLU(),
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=bias), norm(kind, channels),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class Wrapped(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


def resnet(in_channels: int, out_channels: int, width: int, blocks: int, kind: str) -> nn.Module:
    bias = kind == "instance"
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(in_channels, width, 7, bias=bias), norm(kind, width), nn.ReLU()]
    for c in (width, 2 * width):
        layers += [nn.Conv2d(c, 2 * c, 3, 2, 1, bias=bias), norm(kind, 2 * c), nn.ReLU()]
    layers += [Block(4 * width, kind) for _ in range(blocks)]
    for c in (4 * width, 2 * width):
        layers += [nn.ConvTranspose2d(c, c // 2, 3, 2, 1, 1, bias=bias), norm(kind, c // 2), nn.ReLU()]
    return Wrapped(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, out_channels, 7), nn.Tanh())


class Skip(nn.Module):
    """One level of a U-Net, around the level below it."""

    def __init__(self, level: int, widths: list[int], in_channels: int, out_channels: int, kind: str) -> None:
        super().__init__()
        self.outermost, innermost, bias = level == 0, level == len(widths) - 1, kind == "instance"
        width, source = widths[level], in_channels if level == 0 else widths[level - 1]
        below = [] if innermost else [Skip(level + 1, widths, in_channels, out_channels, kind)]
        down: list[nn.Module] = [nn.Conv2d(source, width, 4, 2, 1, bias=bias)]
        up_from = width if innermost else 2 * width
        if self.outermost:
            layers = [*down, *below, nn.ReLU(), nn.ConvTranspose2d(up_from, out_channels, 4, 2, 1), nn.Tanh()]
        else:
            down = [nn.LeakyReLU(0.2), *down] + ([] if innermost else [norm(kind, width)])
            up = [nn.ReLU(), nn.ConvTranspose2d(up_from, source, 4, 2, 1, bias=bias), norm(kind, source)]
            layers = [*down, *below, *up]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


def unet(in_channels: int, out_channels: int, width: int, downs: int, kind: str) -> nn.Module:
    return Wrapped2(Skip(0, [min(2**n, 8) * width for n in range(downs)], in_channels, out_channels, kind))


class Wrapped2(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


def patchgan(in_channels: int, width: int, layers: int, kind: str) -> nn.Module:
    stack: list[nn.Module] = [nn.Conv2d(in_channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    c = width
    for n in range(1, layers + 1):
        wider = width * min(2**n, 8)
        stack += [
            nn.Conv2d(c, wider, 4, 2 if n < layers else 1, 1, bias=kind == "instance"),
            norm(kind, wider),
            nn.LeakyReLU(0.2),
        ]
        c = wider
    return Wrapped(*stack, nn.Conv2d(c, 1, 4, 1, 1))


class Pixel(nn.Module):
    def __init__(self, in_channels: int, width: int, kind: str) -> None:
        super().__init__()
        bias = kind == "instance"
        self.net = nn.Sequential(
            nn.Conv2d(in_channels, width, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 1, bias=bias), norm(kind, 2 * width), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 1, 1, bias=bias),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


def gan_loss(kind: str, scores: Tensor, real: bool) -> Tensor:
    target = torch.full_like(scores, float(real))
    if kind == "lsgan":
        return F.mse_loss(scores, target)
    if kind == "vanilla":
        return F.binary_cross_entropy_with_logits(scores, target)
    return -scores.mean() if real else scores.mean()


def states(networks: dict[str, nn.Module]) -> dict[str, dict[str, Tensor]]:
    return {name: {k: v.clone() for k, v in network.state_dict().items()} for name, network in networks.items()}


def spread_weights(networks: dict[str, nn.Module]) -> None:
    """Weights large enough that outputs and losses are not all about zero."""
    for network in networks.values():
        for parameter in network.parameters():
            nn.init.normal_(parameter, 0.0 if parameter.ndim > 1 else 0.1, 0.08)


def cyclegan_vector(
    networks: dict[str, nn.Module],
    a: Tensor,
    b: Tensor,
    gan: str,
    lambda_a: float,
    lambda_b: float,
    idt: float,
    lr: float,
) -> dict[str, object]:
    """Pictures (steps, N, C, H, W); the generators' step first, then both discriminators' on the same fakes."""
    spread_weights(networks)
    g_a, g_b, d_a, d_b = (networks[name] for name in ("G_A", "G_B", "D_A", "D_B"))
    init = states(networks)
    opt_g = torch.optim.Adam(itertools.chain(g_a.parameters(), g_b.parameters()), lr, (0.5, 0.999))
    opt_d = torch.optim.Adam(itertools.chain(d_a.parameters(), d_b.parameters()), lr, (0.5, 0.999))
    rows = []
    for real_a, real_b in zip(a, b):
        fake_b, fake_a = g_a(real_a), g_b(real_b)
        row = {
            "G_A": gan_loss(gan, d_a(fake_b), True),
            "cycle_A": F.l1_loss(g_b(fake_b), real_a) * lambda_a,
            "idt_A": F.l1_loss(g_a(real_b), real_b) * lambda_b * idt if idt else torch.zeros(()),
            "G_B": gan_loss(gan, d_b(fake_a), True),
            "cycle_B": F.l1_loss(g_a(fake_a), real_b) * lambda_b,
            "idt_B": F.l1_loss(g_b(real_a), real_a) * lambda_a * idt if idt else torch.zeros(()),
        }
        opt_g.zero_grad()
        sum(row.values()).backward()  # type: ignore[union-attr]
        opt_g.step()
        opt_d.zero_grad()
        for name, judge, real, fake in (("D_A", d_a, real_b, fake_b), ("D_B", d_b, real_a, fake_a)):
            loss = (gan_loss(gan, judge(real), True) + gan_loss(gan, judge(fake.detach()), False)) * 0.5
            loss.backward()
            row[name] = loss
        opt_d.step()
        rows.append({name: float(value) for name, value in row.items()})
    with torch.no_grad():
        after = g_a(a[0])
    meta = {
        "kind": "cyclegan", "gan": gan, "lambda_A": lambda_a, "lambda_B": lambda_b, "lambda_identity": idt, "lr": lr,
        "betas": (0.5, 0.999), "pool": 50, "batch": a.shape[1],
    }  # fmt: skip
    return {"meta": meta, "init": init, "A": a, "B": b, "losses": rows, "fake_B_after": after}


def pix2pix_vector(
    networks: dict[str, nn.Module], a: Tensor, b: Tensor, gan: str, lambda_l1: float, lr: float
) -> dict[str, object]:
    """The discriminator's step first, then the generator's; one forward serves both."""
    spread_weights(networks)
    g, d = networks["G"], networks["D"]
    init = states(networks)
    opt_g = torch.optim.Adam(g.parameters(), lr, (0.5, 0.999))
    opt_d = torch.optim.Adam(d.parameters(), lr, (0.5, 0.999))
    rows = []
    for real_a, real_b in zip(a, b):
        fake_b = g(real_a)
        row = {
            "D_fake": gan_loss(gan, d(torch.cat([real_a, fake_b.detach()], 1)), False),
            "D_real": gan_loss(gan, d(torch.cat([real_a, real_b], 1)), True),
        }
        opt_d.zero_grad()
        ((row["D_fake"] + row["D_real"]) * 0.5).backward()
        opt_d.step()
        row["G_GAN"] = gan_loss(gan, d(torch.cat([real_a, fake_b], 1)), True)
        row["G_L1"] = F.l1_loss(fake_b, real_b) * lambda_l1
        opt_g.zero_grad()
        (row["G_GAN"] + row["G_L1"]).backward()
        opt_g.step()
        rows.append({name: float(value) for name, value in row.items()})
    meta = {
        "kind": "pix2pix", "gan": gan, "lambda_L1": lambda_l1, "lr": lr, "betas": (0.5, 0.999), "pool": 0, "dropout": False,
        "batch": a.shape[1],
    }  # fmt: skip
    return {"meta": meta, "init": init, "A": a, "B": b, "losses": rows}
