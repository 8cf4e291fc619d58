"""The command line: parse, call one function, print. Imports torch only inside the commands."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from overpaint import __version__
from overpaint.errors import OverpaintError

if TYPE_CHECKING:
    from overpaint.progress import Terminal

_EPILOG = (
    "Every setting of a run has its flag, such as --data.size 64 or --train.pictures 20000: overpaint train --help"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command.

    Returns:
        The exit status: 0; 1 for an error told in one line; 2 for a wrong command line; 128 + n after signal n.
    """
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if rest and not getattr(args, "takes_settings", False):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return args.command(args, rest)
    except OverpaintError as error:
        print(f"overpaint: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except Exception as error:  # the last resort: a person gets one line, a developer asks for the rest
        if os.environ.get("OVERPAINT_TRACEBACK"):
            raise
        told = " ".join(str(error).split())[:300]
        print(
            f"overpaint: unexpected error: {type(error).__name__}: {told} (OVERPAINT_TRACEBACK=1 shows where; please report it)",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("overpaint: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="overpaint", description="Teach a computer to turn one kind of picture into another.", epilog=_EPILOG
    )
    parser.add_argument("--version", action="version", version=f"overpaint {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[..., int], text: str, **options: object) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, allow_abbrev=False, **options)  # type: ignore[arg-type]
        command.set_defaults(command=run)
        return command

    demo = add("demo", _demo, "train a small CycleGAN on drawn landscapes, translate and measure held-back ones")
    demo.add_argument("--out", type=Path, default=Path("runs/demo"), help="the run folder (default: runs/demo)")
    demo.add_argument(
        "--pictures", type=int, default=None, help="length of the training (default: what takes a few minutes)"
    )

    train = add("train", _train, "train a model on a folder of pictures", add_help=False)
    train.add_argument("data", nargs="?", help="a folder of pictures, or 'seasons' for drawn landscapes")
    train.add_argument(
        "--preset", help="settings to begin with (overpaint presets lists them); by default the data decide"
    )
    train.add_argument("--config", type=Path, help="a YAML file of settings, over those of the preset")
    train.add_argument("--out", type=Path, help="the run folder")
    train.add_argument("--dry-run", action="store_true", help="say what would happen and stop")
    train.add_argument("-h", "--help", action="store_true", help="show this help, with every setting")
    train.set_defaults(takes_settings=True, parser=train)

    resume = add("resume", _resume, "go on with a run that was stopped, as if it had never stopped")
    resume.add_argument("run", type=Path, help="the run folder")

    translate = add("translate", _translate, "translate pictures at their own size")
    translate.add_argument("model", type=Path, help="a model.safetensors or a run folder")
    translate.add_argument("inputs", nargs="+", metavar="INPUT", help="pictures, folders or patterns")
    translate.add_argument("--out", type=Path, required=True, help="a folder; or a file, for one picture")
    translate.add_argument("--direction", help="a2b or b2a, where the model knows both (default: its first)")
    translate.add_argument(
        "--dropout", action="store_true", help="keep dropout on, as the Pix2Pix paper does: differs each time"
    )
    translate.add_argument("--device", default="cpu", help="cpu, cuda or mps (default: cpu)")

    evaluate = add("evaluate", _evaluate, "measure a model on the test pictures of a data set")
    evaluate.add_argument("model", type=Path, help="a model.safetensors or a run folder")
    evaluate.add_argument("data", nargs="?", help="the data set (default: what it was trained on)")
    evaluate.add_argument("--features", type=Path, help="SqueezeNet 1.1 weights, for the kernel distance")
    evaluate.add_argument("--limit", type=int, help="at most so many pictures of each domain")
    evaluate.add_argument("--json", type=Path, help="also write the figures to this file")

    report = add("report", _report, "write a run's report.html again")
    report.add_argument("run", type=Path, help="the run folder")

    add("presets", _presets, "list the presets")

    data = commands.add_parser("data", help="make data sets", description="make data sets")
    kinds = data.add_subparsers(required=True, metavar="KIND")
    seasons = kinds.add_parser("seasons", help="draw landscapes in summer and winter", allow_abbrev=False)
    seasons.add_argument("folder", type=Path, help="where to write trainA, trainB, testA and testB")
    seasons.add_argument("--count", type=int, default=400, help="training scenes per season (default: 400)")
    seasons.add_argument("--size", type=int, default=128, help="side of the pictures in pixels (default: 128)")
    seasons.add_argument(
        "--tests", type=int, help="test scenes, under equal names in testA and testB (default: count / 10)"
    )
    seasons.add_argument("--seed", type=int, default=0, help="same seed, same bytes (default: 0)")
    seasons.set_defaults(command=_data_seasons)
    return parser


def _demo(args: argparse.Namespace, _: list[str]) -> int:
    from overpaint.demo import run_demo
    from overpaint.progress import Terminal

    terminal = Terminal()
    with terminal.shown():
        received = run_demo(args.out, terminal, args.pictures)
    return _after_signal(received, args.out, terminal)


def _train(args: argparse.Namespace, rest: list[str]) -> int:
    if args.help:
        return _train_help(args)
    from overpaint.progress import Terminal
    from overpaint.runs import describe, plan_run, start

    out: Path | None = args.out
    if out is None and not args.dry_run:
        raise OverpaintError("--out is missing: name a new folder for the run, such as --out runs/first")
    terminal = Terminal()
    plan = plan_run(args.data, args.preset, args.config, rest)
    for line in (*plan.said, *describe(plan)):
        terminal.say(line)
    if out is None or args.dry_run:
        terminal.say("dry run: nothing was written")
        return 0
    with terminal.shown():
        received = start(plan, out, terminal)
    return _after_signal(received, out, terminal)


def _train_help(args: argparse.Namespace) -> int:
    from overpaint.config import section_parser
    from overpaint.settings import sections_for

    args.parser.print_help()
    print(
        "\nSettings, with the fields of the CycleGAN model and its networks (other parts: --model.name, --generator.name, ...):"
    )
    print(section_parser(sections_for({})).format_help().split("options:", 1)[1])
    return 0


def _resume(args: argparse.Namespace, _: list[str]) -> int:
    from overpaint.progress import Terminal
    from overpaint.runs import resume

    terminal = Terminal()
    with terminal.shown():
        received = resume(args.run, terminal)
    return _after_signal(received, args.run, terminal)


def _after_signal(received: int, run: Path, terminal: "Terminal") -> int:
    if received:
        terminal.say(f"stopped after a whole step and saved; go on with: overpaint resume {run}")
        return 128 + received
    terminal.say(f"finished: {run / 'model.safetensors'} and {run / 'report.html'}")
    return 0


def _translate(args: argparse.Namespace, _: list[str]) -> int:
    from overpaint.predict import load
    from overpaint.translate import find_inputs, find_outputs, translate_files

    plan = find_outputs(find_inputs(args.inputs), args.out)
    predictor = load(args.model, args.device)
    predictor.channels(args.direction)  # an unknown direction is told once, before the first picture
    errors = []
    for target, error in translate_files(predictor, plan, args.direction, args.dropout):
        if error is None:
            print(target)
        else:
            errors.append(error)
    for error in errors:
        print(f"overpaint: error: {error}", file=sys.stderr)
    return 1 if errors else 0


def _evaluate(args: argparse.Namespace, _: list[str]) -> int:
    from overpaint.evaluate import evaluate
    from overpaint.predict import load
    from overpaint.tables import figures_table

    evaluation = evaluate(load(args.model), args.data, args.features, args.limit)
    if args.json:
        args.json.write_text(json.dumps(evaluation.to_dict(), indent=2) + "\n", encoding="utf-8")
    print(figures_table(evaluation.figures, evaluation.untouched))
    print(evaluation.protocol)
    return 0


def _report(args: argparse.Namespace, _: list[str]) -> int:
    from overpaint.report import write_report

    target = args.run / "report.html"
    write_report(args.run, target)
    print(target)
    return 0


def _presets(_: argparse.Namespace, __: list[str]) -> int:
    from overpaint.presets import preset_summaries

    for name, summary in preset_summaries():
        print(f"{name:<14} {summary}")
    return 0


def _data_seasons(args: argparse.Namespace, _: list[str]) -> int:
    from overpaint.data.seasons.dataset import write_seasons

    if args.count < 1 or (args.tests is not None and args.tests < 1):
        raise OverpaintError("--count and --tests must be 1 or more")
    written = write_seasons(args.folder, args.count, args.size, args.seed, args.tests)
    print(f"{args.folder}: " + ", ".join(f"{count} in {name}" for name, count in written.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
