"""Figures as plain tables for the terminal."""

from overpaint.metrics.held_out import Figures

_HEADS = {"l1": "L1", "psnr": "PSNR", "ssim": "SSIM", "kernel_distance": "kernel distance"}


def figures_table(figures: Figures, untouched: Figures) -> str:
    """A line per direction, and one for inputs left untouched, which a translation has to beat."""
    keys = list(next(iter(figures.values())))
    rows = [["direction", *(_HEADS.get(key, key) for key in keys)]]
    for way, values in figures.items():
        rows.append([way, *(_number(values[key]) for key in keys)])
        if way in untouched:
            rows.append([f"{way} untouched", *(_number(untouched[way][key]) for key in keys)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
