"""The explorer in Chromium: `python -m benchmarks.bench_explore SOURCE -p PROFILE`.

Seconds from the command to the first picture in an open browser; from a step of the floor to the next painted frame;
between the cursors and the sound while it plays; and the largest difference between the page's numbers and Python's, on
ten clips. The command runs with Python's bytecode, as pip leaves it; the details also have a first run, which compiles
every module of every library. Needs playwright and a Chromium. `--pictures FOLDER` takes pictures of the page, on a
desktop and on a phone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

import spectronorm as sn
from benchmarks.measure import Figure, report
from spectronorm.demo.dataset import make_dataset

STEPS, CLIPS, RUNS = 20, 10, 5
SWITCHES = ("--no-sandbox", "--disable-gpu", "--mute-audio", "--autoplay-policy=no-user-gesture-required")
_STEP = """async (floor) => {
  const slider = document.getElementById("floor"), begin = performance.now();
  slider.value = floor;
  slider.dispatchEvent(new Event("input"));
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  while (!document.body.dataset.drawn.startsWith(`${floor} `)) await painted();
  return (performance.now() - begin) / 1000;
}"""
_PLAYED = """async () => {
  const audio = document.getElementById("audio"), found = [];
  const picture = [...window.explorer.pictures.values()][0], frames = picture.frames, about = window.explorer.about;
  await audio.play();
  const begin = performance.now();
  while (performance.now() - begin < 2500) {
    await new Promise(requestAnimationFrame);
    const fraction = parseFloat(picture.cursor.style.left) / 100;
    const shown = about.firstFrame + (fraction * frames - 0.5) * about.frameStep;
    if (audio.currentTime > 0.2) found.push([shown, audio.currentTime, performance.now() / 1000]);
  }
  audio.pause();
  return found;
}"""


@contextmanager
def command(source: str, profile: str, bytecode: str) -> Iterator[tuple[str, float, int]]:
    """The page's address, the time at which the command began, and the number of its process.

    Python keeps its bytecode in the folder `bytecode`, so a setting against it does not count.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = bytecode
    begin = time.perf_counter()
    arguments = [sys.executable, "-m", "spectronorm", "explore", source, "-p", profile]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield next(word for word in line.split() if word.startswith("http://")), begin, process.pid
        process.terminate()


def processor_seconds(process: int) -> float:
    """Processor time of a process so far, which a busy machine does not lengthen; NaN where it cannot be told."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def first_picture(browser: Browser, address: str, begin: float) -> tuple[float, Page, list[str]]:
    """Seconds from the command to the first picture, the page, and requests to elsewhere."""
    page = browser.new_page(viewport={"width": 1280, "height": 960})
    elsewhere: list[str] = []
    page.on(
        "request", lambda one: None if one.url.startswith((address, "data:", "blob:")) else elsewhere.append(one.url)
    )
    page.goto(address)
    page.wait_for_selector("body[data-clip]")
    return time.perf_counter() - begin, page, elsewhere


def floor_steps(page: Page) -> list[float]:
    """Seconds from a step of the floor to the painted picture."""
    low = float(page.get_attribute("#floor", "min") or 0)
    return [float(page.evaluate(_STEP, low + 1 + step)) for step in range(STEPS)]


def cursor_errors(page: Page) -> tuple[list[float], list[float]]:
    """Seconds between cursor and sound, and between the sound's clock and the wall's since the first frame."""
    page.evaluate("document.getElementById('audio').currentTime = 0")
    shown, heard, wall = np.array(page.evaluate(_PLAYED)).T
    drift = (heard - heard[0]) - (wall - wall[0])
    return np.abs(shown - heard).tolist(), np.abs(drift).tolist()


def differences(page: Page, source: str, profile: sn.Profile) -> list[float]:
    """The largest difference between the page's normalized values and Python's, of each of ten clips."""
    front_end = profile.front_end
    assert isinstance(front_end, sn.FrontEnd)
    clips, names, found = sn.open_source(source).clips, ("global", "band", "minmax", "robust", "clip", "clip-band"), []
    page.select_option("#order", "name")
    for name in names:
        page.check(f"#with-{name}")
    page.evaluate("document.getElementById('reset').click()")
    for number in np.linspace(0, len(clips) - 1, CLIPS).astype(int).tolist():
        page.fill("#filter", clips[number].name)
        page.keyboard.press("Enter")
        page.wait_for_selector(f'body[data-clip="{number}"]')
        level = front_end.clip_level(sn.read(clips[number].location, front_end.sample_rate))
        text = "JSON.stringify([...window.explorer.pictures].map(([name, one]) => [name, Array.from(one.values)]))"
        shown = dict(json.loads(page.evaluate(text)))
        wanted = {name: np.asarray(sn.normalizer(name).fit(profile)(level)).ravel() for name in names}
        found.append(max(float(np.abs(np.array(shown[name]) - wanted[name]).max()) for name in names))
    return found


def photograph(browser: Browser, address: str, folder: Path) -> None:
    """Pictures of the page for the documentation."""
    desktop: dict[str, Any] = {"viewport": {"width": 1280, "height": 960}}
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    for name, settings in (("explorer.png", desktop), ("explorer-phone.png", phone)):
        page = browser.new_context(**settings).new_page()
        page.goto(address)
        page.wait_for_selector("body[data-profiles]")
        page.fill("#filter", "rooster")
        page.keyboard.press("Enter")
        page.click("#fit")
        page.wait_for_timeout(1500)
        if name == "explorer-phone.png":
            page.evaluate("scrollTo(0, document.getElementById('pictures').offsetTop - 130)")
        page.screenshot(path=folder / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = os.environ.get("SPECTRONORM_DATA")
    parser.add_argument(
        "source", nargs="?", default=f"{data}/esc10" if data else None, help="by default the demo's sounds"
    )
    parser.add_argument("-p", "--profile", help="by default the source is measured with the preset fastaudio first")
    parser.add_argument("--pictures", type=Path, help="folder for pictures of the page")
    given = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("bench_explore: needs Chromium")
    with tempfile.TemporaryDirectory() as folder:
        source = given.source or str(make_dataset(Path(folder)))
        profile = given.profile or f"{folder}/explored.safetensors"
        if given.profile is None:
            sn.fit(source, sn.preset("fastaudio"), max_bad=0.05).save(profile)
        measure(chromium, source, profile, f"{folder}/bytecode", given.pictures)


def measure(chromium: str, source: str, profile: str, bytecode: str, pictures: Path | None) -> None:
    """Open the page, measure, and report."""
    count = len(sn.open_source(source))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(SWITCHES))
        firsts, busy = [], []
        for _ in range(1 + RUNS):
            with command(source, profile, bytecode) as (address, begin, process):
                firsts.append(first_picture(browser, address, begin)[0])
                busy.append(processor_seconds(process))
        with command(source, profile, bytecode) as (address, begin, _):
            _, page, elsewhere = first_picture(browser, address, begin)
            page.wait_for_selector("body[data-profiles]")
            while not str(page.inner_text("#heard")).startswith(f"{count:,} of"):
                page.wait_for_timeout(500)
            steps = floor_steps(page)
            cursor, drift = cursor_errors(page)
            wrong = differences(page, source, sn.Profile.load(profile))
            if pictures is not None:
                photograph(browser, address, pictures)
        browser.close()
    first, used = median(firsts[1:]), median(busy[1:])
    figures = [
        Figure(f"first picture after the command, median of {RUNS}", first, "s", "<= 3", first <= 3),
        Figure("processor time of the command until then", used, "s", "<= 2", used <= 2),
        Figure(f"a step of the floor, worst of {STEPS}", max(steps), "s", "<= 0.2", max(steps) <= 0.2),
        Figure("a step of the floor, median", median(steps), "s", "<= 0.2", median(steps) <= 0.2),
        Figure("cursor and sound, worst", max(cursor), "s", "<= 0.05", max(cursor) <= 0.05),
        Figure(f"JavaScript and Python, worst of {CLIPS} clips", max(wrong), "", "<= 1e-5", max(wrong) <= 1e-5),
        Figure("requests to elsewhere", len(elsewhere), "", "0", not elsewhere),
    ]
    details = {
        "first": firsts,
        "processor": busy,
        "steps": steps,
        "cursor": cursor,
        "clock": max(drift),
        "differences": wrong,
    }
    report("The explorer in Chromium", figures, details, "explore.json")


if __name__ == "__main__":
    main()
