"""Report pages can be heard, read on a phone and by a screen reader, and load nothing from outside."""

from __future__ import annotations

import base64
import io
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

pytest.importorskip("jinja2")

import spectronorm as sn
from monitored import FRONT_END, clips, training
from spectronorm.audio import open_source
from spectronorm.cli.app import app
from spectronorm.demo.run import run_demo
from spectronorm.monitor import Incoming, Monitor, watch
from spectronorm.report.drift_page import save_drift_page
from spectronorm.report.heard_clips import HeardClip, WatchedClips, heard_training_clips

PHONE = {"width": 390, "height": 800}
CUT = """() => [...document.querySelectorAll('body *')].filter(element => {
  const box = element.getBoundingClientRect(), style = getComputedStyle(element);
  if (!box.width || element.closest('.figure') || element.closest('details:not([open])')) return false;
  return box.right > innerWidth + 1 || (element.tagName === 'TABLE' && element.scrollWidth > element.clientWidth + 1);
}).map(element => element.tagName + ' ' + element.className + ' ' + element.textContent.slice(0, 40))"""
"""Script that lists the elements that a reader must scroll sideways for; wide figures may scroll in a frame."""


def written(folder: Path, count: int = 4) -> Path:
    """Write clips as in training."""
    folder.mkdir()
    for number, wave in enumerate(clips(count, 7)):
        soundfile.write(folder / f"{number}.wav", wave, 8_000, subtype="FLOAT")
    return folder


def watched(waves: list[np.ndarray]) -> tuple[Monitor, WatchedClips]:
    """Watch waves, named by their place."""
    monitor = Monitor(training()[0], training()[1], threshold=4.5)
    heard = WatchedClips(monitor)
    incoming = [Incoming(f"<{number}>.wav", wave, None, float(number)) for number, wave in enumerate(waves)]
    watch(monitor, heard.passing(incoming), lambda event: None if event is None else heard.take(event))
    return monitor, heard


def test_a_watch_plays_the_clips_that_are_least_like_the_training_clips(tmp_path: Path) -> None:
    """Two clips 40 dB quieter among many usual ones come first, and all players hold their sound."""
    waves: list[np.ndarray] = [wave.copy() for wave in clips(20, 3)]
    for quiet in (5, 11):
        waves[quiet] *= np.float32(0.01)
    monitor, heard = watched(waves)
    farthest = heard.farthest()
    assert {clip.name for clip in farthest[:2]} == {"<5>.wav", "<11>.wav"}
    assert [clip.distance for clip in farthest] == sorted((clip.distance for clip in farthest), reverse=True)
    save_drift_page(
        tmp_path / "p.html", "drift", monitor, heard, heard_training_clips(_source(tmp_path), training()[0])
    )
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    sounds = re.findall(r'src="data:audio/flac;base64,([^"]+)"', text)
    assert len(sounds) == 8
    peaks = [np.abs(soundfile.read(io.BytesIO(base64.b64decode(sound)))[0]).max() for sound in sounds]
    assert max(peaks[:2]) < 0.02 < min(peaks[4:])
    assert 'aria-label="&lt;5&gt;.wav"' in text
    assert "<5>" not in text


def _source(folder: Path) -> sn.audio.Source:
    return open_source(written(folder / "training"))


def test_only_the_newest_clips_are_kept_and_bad_ones_are_not() -> None:
    """A watch of days holds a bounded number of sounds; a clip that was not counted is none of them."""
    waves: list[np.ndarray] = list(clips(40, 3))
    waves[39] = np.full(4_000, np.nan, dtype=np.float32)
    monitor, heard = watched(waves)
    assert (monitor.clips, monitor.bad, heard.kept) == (39, 1, 32)


def test_training_clips_that_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    """The page of a watch plays what it can read of the training set."""
    folder = written(tmp_path / "some", 3)
    (folder / "1.wav").write_text("no sound")
    names = [clip.name for clip in heard_training_clips(open_source(folder), training()[0])]
    assert names == ["0.wav", "2.wav"]


def test_the_command_writes_a_page_that_plays(tmp_path: Path) -> None:
    """`watch --report` has players of the clips that it watched, and with --training of the training set."""
    training()[0].save(tmp_path / "profile.safetensors")
    new = written(tmp_path / "new", 12)
    settings = ["watch", str(new), "-p", str(tmp_path / "profile.safetensors"), "--once", "--report"]
    result = CliRunner().invoke(app, [*settings, str(tmp_path / "p.html")])
    assert result.exit_code in (0, 3), result.output
    assert (tmp_path / "p.html").read_text(encoding="utf-8").count("<audio") == 4


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages of the demo, of a watch, of an inspection and of a round trip."""
    pytest.importorskip("matplotlib")
    folder = tmp_path_factory.mktemp("pages")
    run_demo(folder / "demo")
    monitor, heard = watched(list(clips(20, 3)))
    save_drift_page(
        folder / "watch.html", "drift", monitor, heard, heard_training_clips(_source(folder), training()[0])
    )
    quiet = folder / "quiet"
    quiet.mkdir()
    for number, wave in enumerate(clips(3, 3)):
        soundfile.write(quiet / f"{'long' * 12}-{number}.wav", wave * np.float32(1e-4), 8_000, subtype="FLOAT")
    CliRunner().invoke(app, ["inspect", str(quiet), "--html", str(folder / "inspect.html")])
    trip = ["roundtrip", str(quiet / f"{'long' * 12}-0.wav"), "-o", str(folder / "trip"), "--n-mels", "24"]
    CliRunner().invoke(app, [*trip, "--html", str(folder / "roundtrip.html")])
    return {
        "demo": folder / "demo" / "report.html",
        **{name: folder / f"{name}.html" for name in ("watch", "inspect", "roundtrip")},
    }


@pytest.fixture(scope="module")
def browser() -> Any:
    """A headless Chromium, or a skip where there is none."""
    api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no chromium")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--mute-audio"])
        yield found
        found.close()


@pytest.mark.parametrize("name", ["demo", "watch", "inspect", "roundtrip"])
def test_a_page_fits_a_phone_and_plays(browser: Any, pages: dict[str, Path], name: str) -> None:
    """On a phone nothing is cut, each picture has a text, each player a name, and the first one plays."""
    page = browser.new_page(viewport=PHONE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages[name].as_uri())
    assert page.evaluate(CUT) == []
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    assert page.evaluate(CUT) == []
    assert page.evaluate("[...document.images].every(image => image.alt && image.naturalWidth > 100)")
    assert page.evaluate("[...document.querySelectorAll('audio')].every(player => player.getAttribute('aria-label'))")
    seconds = page.evaluate(
        "async () => { const player = document.querySelector('audio'); player.muted = true; await player.play(); "
        "return player.duration; }"
    )
    assert 0.4 < seconds <= 10
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]
    page.close()


def test_the_test_finds_what_is_cut(browser: Any, tmp_path: Path) -> None:
    """A table wider than a phone is found."""
    cells = "".join(f"<td>{'wide' * 5}</td>" for _ in range(9))
    (tmp_path / "p.html").write_text(f"<table style='display:block;overflow-x:auto'><tr>{cells}</tr></table>")
    page = browser.new_page(viewport=PHONE)
    page.goto((tmp_path / "p.html").as_uri())
    assert page.evaluate(CUT)
    page.close()


def test_a_clip_for_a_page_is_plain_text(tmp_path: Path) -> None:
    """Names that steer a terminal are shown as text."""
    excerpt = HeardClip("a\u202eb\n.wav", watched([*clips(1, 3)])[1].farthest()[0].excerpt)
    assert "\u202e" not in excerpt.to_dict()["name"]
    assert FRONT_END.sample_rate == excerpt.excerpt.sample_rate
