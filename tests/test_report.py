"""The report of a run: one file, no network, both colour schemes; its scripts in a real browser where there is one."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from overpaint.charts import Curve, line_chart
from overpaint.cli import main
from overpaint.logs import read_log

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def test_the_report_is_one_file_with_everything(cyclegan_run: Path):
    page = (cyclegan_run / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:)""", page)  # nothing is fetched
    assert "http://" not in page and "https://" not in page
    assert "prefers-color-scheme: dark" in page
    frames = json.loads(re.search(r"const frames = (\[.*?\]);\n", page).group(1))  # type: ignore[union-attr]
    assert [pictures for pictures, _ in frames] == [0, 2, 4, 6]
    for words in (
        "inputs left untouched",
        "before and after",
        "lambda_identity",
        "torch",
        "gan",
        "discriminators",
        "image/webp",
    ):
        assert words in page, words
    assert page.count('class="compare"') == 4  # two directions, two rows


def test_pix2pix_reports_too(pix2pix_run: Path):
    page = (pix2pix_run / "report.html").read_text(encoding="utf-8")
    assert "L1 (0..255)" in page and page.count('class="compare"') == 2


def test_it_is_written_again_on_request(cyclegan_run: Path, tmp_path: Path, capsys):
    copy = tmp_path / "run <b>"
    shutil.copytree(cyclegan_run, copy)
    (copy / "report.html").unlink()
    assert main(["report", str(copy)]) == 0
    page = (copy / "report.html").read_text(encoding="utf-8")
    assert "run &lt;b&gt;" in page and "<b>run" not in page


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the report's scripts are not run")
def test_sliders_work_in_a_browser(cyclegan_run: Path, tmp_path: Path):
    page = (cyclegan_run / "report.html").read_text(encoding="utf-8")
    probe = """<script>
addEventListener("load", () => setTimeout(() => {
  const scrub = document.getElementById("scrub");
  const result = {max: scrub.max, last: document.getElementById("at").textContent};
  scrub.value = 1; scrub.dispatchEvent(new Event("input"));
  result.moved = document.getElementById("at").textContent;
  const box = document.querySelector(".compare"), canvas = box.querySelector("canvas"), slider = box.querySelector("input");
  const grab = () => Array.from(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data).join();
  slider.value = 0; slider.dispatchEvent(new Event("input")); const after = grab();
  slider.value = 100; slider.dispatchEvent(new Event("input")); const before = grab();
  result.width = canvas.width; result.differ = before !== after; result.wide = document.documentElement.scrollWidth <= innerWidth;
  document.body.innerHTML = "<p id=result>" + JSON.stringify(result) + "</p>";
}, 500));
</script></body>"""
    (tmp_path / "page.html").write_text(page.replace("</body>", probe), encoding="utf-8")
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=4000", "--dump-dom", (tmp_path / "page.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found = re.search(r'<p id="result">(.*?)</p>', done.stdout)
    assert found, done.stderr[-2000:]
    result = json.loads(found.group(1))
    assert result == {"max": "3", "last": "6", "moved": "2", "width": 32, "differ": True, "wide": True}


def test_a_line_cut_short_by_a_kill_is_left_out(tmp_path: Path):
    (tmp_path / "log.jsonl").write_text('{"event": "train", "pictures": 1}\n{"event": "tr')
    assert read_log(tmp_path / "log.jsonl") == [{"event": "train", "pictures": 1}]


def test_charts_draw_every_curve():
    chart = line_chart("losses", [Curve("a", [(0, 1.0), (10, 2.0)]), Curve("b <", [(0, 3.0), (10, 0.5)])])
    assert chart.count("<polyline") == 2 and "b &lt;" in chart
    points = [tuple(map(float, p.split(","))) for p in re.findall(r'points="([^"]+)"', chart)[0].split()]
    assert points[0][0] < points[1][0] and points[0][1] > points[1][1]  # to the right, and up for the larger value
    assert line_chart("none", []) == ""
