"""``report.html``: a run in one file that opens without a network, in light and in dark."""

import base64
import html
import io
import json
from pathlib import Path
from string import Template
from typing import Any

from PIL import Image

from overpaint.charts import Curve, line_chart
from overpaint.checkpoint import write_atomically
from overpaint.errors import RunError
from overpaint.logs import read_log
from overpaint.samples import GridLayout, sample_files

# More frames than this make a large file and say nothing more.
_MOST_FRAMES = 40
_NAMES = {"l1": "L1 (0..255)", "psnr": "PSNR (dB)", "ssim": "SSIM", "kernel_distance": "kernel distance × 1000"}


def write_report(run: Path, target: Path) -> None:
    """Writes the report of a run, finished or not.

    Args:
        run: the run folder; ``log.jsonl``, ``config.yaml`` and ``samples/`` are read.
        target: the file.

    Raises:
        RunError: if the folder is no run, or the file can't be written.
    """
    if not (run / "log.jsonl").exists():
        raise RunError(f"{run} is not a run folder (it has no log.jsonl)")
    entries = read_log(run / "log.jsonl")
    config = (run / "config.yaml").read_text(encoding="utf-8") if (run / "config.yaml").exists() else ""
    frames = _frames(run / "samples")
    layout = GridLayout.read(run / "samples" / "layout.json")
    page = Template(Path(__file__).with_name("report_template.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(f"overpaint: {run.resolve().name}"),
        subtitle=html.escape(_subtitle(entries)),
        warnings=_stops(entries),
        figures=_figures(entries),
        comparisons=_comparisons(layout) if frames and layout else "",
        animation=_animation(run / "samples.webp"),
        charts=_charts(entries),
        config=html.escape(config),
        environment=_environment(entries),
        frames=json.dumps(frames),
        tiles=json.dumps(layout.to_dict() if layout else None),
    )
    write_atomically(target, lambda partial: partial.write_text(page, encoding="utf-8"))


def _of(entries: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [entry for entry in entries if entry["event"] == event]


def _subtitle(entries: list[dict[str, Any]]) -> str:
    steps = _of(entries, "train")
    if not steps:
        return "no steps yet"
    last, start = steps[-1], _of(entries, "start")
    of = f" of {start[-1]['total']:,}" if start else ""
    model = f"{start[-1]['model']}; " if start else ""
    return f"{model}{last['pictures']:,}{of} pictures, {last['seconds'] / 60:.1f} minutes of steps"


def _stops(entries: list[dict[str, Any]]) -> str:
    return "".join(f'<p class="warn">{html.escape(entry["reason"])}</p>' for entry in _of(entries, "stopped"))


def _figures(entries: list[dict[str, Any]]) -> str:
    """A table: untouched inputs, the beginning, the best and the last."""
    measured = _of(entries, "evaluate")
    if not measured:
        return "<p>none yet</p>"
    rows = [("inputs left untouched", entry) for entry in _of(entries, "untouched")[:1]]
    best = min(measured, key=lambda entry: entry["score"])
    rows += [(f"after {entry['pictures']:,} pictures{' (best)' if entry is best else ''}", entry) for entry in measured]
    ways = list(measured[0]["figures"])
    keys = list(measured[0]["figures"][ways[0]])
    heads = "".join(f"<th>{way}: {_NAMES.get(key, key)}</th>" for way in ways for key in keys)
    body = "".join(
        f"<tr><td>{name}</td>"
        + "".join(f"<td>{_number(entry['figures'].get(way, {}).get(key))}</td>" for way in ways for key in keys)
        + "</tr>"
        for name, entry in rows
    )
    note = html.escape(measured[0]["figure"])
    return f'<p class="soft">What decides on the best: {note}, lower is better.</p><table><tr><th></th>{heads}</tr>{body}</table>'


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _frames(folder: Path) -> list[tuple[int, str]]:
    """The grids as data URLs, small ones as they are and large ones as JPEG of high quality."""
    files = sample_files(folder)
    step = max(1, -(-len(files) // _MOST_FRAMES))
    chosen = [item for number, item in enumerate(files) if number % step == 0 or number == len(files) - 1]
    return [(pictures, _data_url(path)) for pictures, path in chosen]


def _data_url(path: Path) -> str:
    with Image.open(path) as grid:
        buffer = io.BytesIO()
        grid.convert("RGB").save(buffer, "JPEG", quality=88, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _comparisons(layout: GridLayout) -> str:
    """Before-and-after sliders over the last samples."""
    pairs = [(0, 1), (3, 4)] if len(layout.titles) == 6 else [(0, 1)]
    boxes = "".join(
        f'<span class="compare" data-row="{row}" data-from="{before}" data-to="{after}"><canvas></canvas>'
        f'<input type="range" min="0" max="100" value="50" aria-label="before and after, {layout.titles[after]}, row {row + 1}">'
        '<span class="bar"></span></span>'
        for before, after in pairs
        for row in range(layout.rows)
    )
    return f'<h2>Before and after</h2><p class="soft">Drag across a picture: left of the line before, right of it after.</p>{boxes}'


def _animation(path: Path) -> str:
    if not path.exists():
        return ""
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<h2>The same, moving</h2><div class="card grid"><img alt="Samples over time" src="data:image/webp;base64,{data}"></div>'


def _charts(entries: list[dict[str, Any]]) -> str:
    """Losses by kind, and the held-out figure."""
    steps = _of(entries, "train")
    groups: dict[str, list[str]] = {}
    for name in steps[-1]["losses"] if steps else []:
        kind = "discriminators" if name.startswith("d_") else name.split("_")[0]
        groups.setdefault(kind, []).append(name)
    charts = [
        line_chart(
            kind,
            [Curve(name, [(s["pictures"], s["losses"][name]) for s in steps if name in s["losses"]]) for name in names],
        )
        for kind, names in groups.items()
    ]
    measured = _of(entries, "evaluate")
    if len(measured) > 1:
        charts.insert(
            0, line_chart("held-out figure", [Curve("score", [(m["pictures"], m["score"]) for m in measured])])
        )
    return "".join(f'<div class="card">{chart}</div>' for chart in charts)


def _environment(entries: list[dict[str, Any]]) -> str:
    start = _of(entries, "start")
    found = start[-1]["environment"] if start else {}
    return "".join(f"<tr><th>{html.escape(str(k))}</th><td>{html.escape(str(v))}</td></tr>" for k, v in found.items())
