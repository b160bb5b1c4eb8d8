"""Answers that come late or in another order: the page shows one clip, and the newest choice counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette")

import spectronorm as sn
from explore.cases import RATE, collection, opened, serving, wait

FRONT_END = sn.FrontEnd(16_000, bands=sn.Mel(16))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three noises of 8 seconds, a.wav to c.wav, and a file that cannot be read."""
    place = tmp_path_factory.mktemp("races") / "noises"
    place.mkdir()
    rng = np.random.default_rng(0)
    for number, name in enumerate("abc"):
        soundfile.write(place / f"{name}.wav", 0.02 * (number + 1) * rng.standard_normal(8 * RATE), RATE)
    (place / "d.wav").write_bytes(b"nothing")
    return place


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with serving(collection(folder, FRONT_END, {"train.safetensors": sn.fit(folder, FRONT_END, max_bad=0.5)})) as found:
        yield found


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page with clip 0 shown, its profile and its settings known."""
    with opened(browser, address) as found:
        found.wait_for_selector("body[data-profiles]")
        choose(found, 0)
        settled(found, "a.wav")
        yield found


class Held:
    """Requests that wait until they are released."""

    def __init__(self, page: Any, pattern: str) -> None:
        self._page, self._pattern = page, pattern
        self._routes: list[Any] = []
        self._passing = False
        page.route(pattern, self._hold)

    def _hold(self, route: Any) -> None:
        if self._passing:
            route.continue_()
        else:
            self._routes.append(route)

    def __len__(self) -> int:
        return len(self._routes)

    def wait(self, count: int = 1) -> None:
        """Wait until this many requests are held."""
        for _ in range(200):
            if len(self._routes) >= count:
                return
            self._page.wait_for_timeout(25)
        raise AssertionError(self._pattern)

    def release(self, number: int = 0) -> None:
        """Let a request go to the server, and its answer come back."""
        route = self._routes.pop(number)
        with self._page.expect_response(lambda response: response.url == route.request.url):
            route.continue_()
        self._page.wait_for_timeout(100)

    def let_all_pass(self) -> None:
        """Hold no more requests, and release those that are held; the browser may have given some of them up."""
        self._passing = True
        while self._routes:
            self._routes.pop().continue_()


def click(page: Any, clip: int) -> None:
    page.locator(f"#clip-{clip}").click()


def choose(page: Any, clip: int) -> None:
    click(page, clip)
    wait(page, f"window.explorer.shown === {clip}")


def settled(page: Any, name: str) -> None:
    """Wait until the settings name this file."""
    wait(page, f"document.getElementById('python').textContent.includes({json.dumps(name)})")


def text(page: Any, place: str) -> str:
    return str(page.locator(place).text_content())


def heard(page: Any) -> str:
    """The address of the sound, without what the pages of a server have in common."""
    return str(page.evaluate("document.getElementById('audio').src.split('/clip/')[1] ?? ''")).split("?")[0]


def turn(page: Any) -> None:
    page.click("#turn")
    wait(page, "window.explorer.back !== null")


def test_settings_are_those_of_the_newest_choice(page: Any) -> None:
    """An answer for another clip or floor that comes later changes nothing."""
    held = Held(page, "**/settings?*")
    page.keyboard.press("]")
    held.wait(1)
    choose(page, 1)
    held.wait(2)
    held.release(1)
    settled(page, "b.wav")
    held.release(0)
    assert "b.wav" in text(page, "#python")


def test_settings_that_are_refused_leave_none_to_copy(page: Any) -> None:
    """A refusal takes the place of the settings before it."""
    page.route("**/settings?*", lambda route: route.fulfill(status=400, body='{"error": "no such choice"}'))
    page.keyboard.press("]")
    wait(page, "document.getElementById('settings-remark').textContent === 'no such choice'")
    assert (text(page, "#commands"), text(page, "#python")) == ("", "")


@pytest.mark.parametrize("late", ["**/clip/1", "**/clip/1/level"])
def test_a_clip_that_loads_late_is_not_mixed_with_the_one_before(page: Any, late: str) -> None:
    """Until both answers are there, level, sound and image are those of the clip before, and the page says so."""
    before = page.evaluate("Array.from(window.explorer.level.subarray(0, 50))")
    held = Held(page, late)
    click(page, 1)
    held.wait()
    assert text(page, "#facts") == "Loading …"
    assert page.get_attribute("#stage", "aria-busy") == "true"
    for key in ("i", "b", "]"):
        page.keyboard.press(key)
    page.wait_for_timeout(200)
    assert page.evaluate("window.explorer.shown") == 0
    assert page.evaluate("Array.from(window.explorer.level.subarray(0, 50))") == before
    assert heard(page) == "0/sound"
    assert page.evaluate("window.explorer.after") is None
    held.release()
    wait(page, "window.explorer.shown === 1")
    assert page.get_attribute("#stage", "aria-busy") is None
    assert heard(page) == "1/sound"
    assert text(page, "#facts").startswith("8.00 s")


def test_the_last_of_many_choices_is_shown(page: Any) -> None:
    """Levels that come in the opposite order of the choices, one clip chosen twice among them."""
    held = Held(page, "**/level")
    for count, clip in enumerate((1, 2, 1, 0, 2), start=1):
        click(page, clip)
        held.wait(count)
    while len(held):
        held.release(len(held) - 1)
        assert page.evaluate("window.explorer.shown") == 2
    assert heard(page) == "2/sound"
    assert text(page, "#title") == "c.wav"


def test_a_second_click_on_a_clip_does_not_start_its_sound_again(page: Any) -> None:
    """Of two answers for one clip only the newer one counts, so that what was done after it stays."""
    held = Held(page, "**/level")
    click(page, 1)
    held.wait(1)
    click(page, 1)
    held.wait(2)
    held.release(1)
    wait(page, "window.explorer.shown === 1")
    turn(page)
    held.release(0)
    assert page.evaluate("window.explorer.back !== null")


def test_an_image_of_an_earlier_clip_does_not_replace_that_of_the_clip_shown(page: Any) -> None:
    """A sound that is made of clip 0's image while clip 1 is chosen and turned is dropped."""
    held = Held(page, "**/clip/0/back?*")
    page.keyboard.press("i")
    held.wait()
    choose(page, 1)
    page.keyboard.press("i")
    wait(page, "window.explorer.back !== null")
    held.release()
    page.wait_for_timeout(200)
    assert "clip/1/back/sound" in page.evaluate("window.explorer.back")
    assert heard(page) == "1/back/sound"
    assert text(page, "#turned").startswith("The image of 8 bits")


def test_an_image_of_another_floor_is_dropped(page: Any) -> None:
    """If the floor moves while the image is turned, nothing is heard of it, and it can be turned again."""
    held = Held(page, "**/clip/0/back?*")
    page.keyboard.press("i")
    held.wait()
    page.keyboard.press("]")
    wait(page, "!document.getElementById('turn').disabled")
    held.release()
    page.wait_for_timeout(200)
    assert page.evaluate("window.explorer.back") is None
    assert heard(page) == "0/sound"
    assert text(page, "#turned") == ""
    held.let_all_pass()
    turn(page)


def test_a_late_sound_does_not_carry_its_position_to_another_clip(page: Any) -> None:
    """The position of an image's sound that still loads is not that of a clip chosen meanwhile."""
    turn(page)
    wait(page, "document.getElementById('audio').readyState > 0")
    page.evaluate("document.getElementById('audio').currentTime = 5")
    held = Held(page, "**/clip/0/sound")
    page.keyboard.press("b")  # before again: the sound of the clip is asked for, and does not come
    held.wait()
    choose(page, 1)
    wait(page, "document.getElementById('audio').readyState > 0")
    page.wait_for_timeout(300)
    assert page.evaluate("document.getElementById('audio').currentTime") == 0
    assert page.evaluate("document.getElementById('audio').paused")


def test_switching_between_before_and_after_quickly_keeps_the_position(page: Any) -> None:
    """The position is kept through sounds that have not loaded when the next one is chosen."""
    turn(page)
    wait(page, "document.getElementById('audio').readyState > 0")
    page.evaluate("document.getElementById('audio').currentTime = 5")
    held = Held(page, "**/sound*")
    for _ in range(3):
        page.keyboard.press("b")
    held.let_all_pass()
    wait(page, "document.getElementById('audio').readyState > 0")
    wait(page, "Math.abs(document.getElementById('audio').currentTime - 5) < 0.1")
    assert heard(page) == "0/sound"


def test_nothing_of_an_earlier_clip_is_left_when_one_cannot_be_read(page: Any) -> None:
    """The sound of an image is forgotten with its clip."""
    turn(page)
    click(page, 3)
    page.wait_for_selector("#problem:visible")
    assert not page.is_visible("#stage")
    for key in ("b", "i", "]", " "):
        page.keyboard.press(key)
    page.wait_for_timeout(200)
    assert heard(page) == ""
    assert page.evaluate("[window.explorer.shown, window.explorer.level, window.explorer.back]") == [-1, None, None]
    choose(page, 1)
    assert heard(page) == "1/sound"


def test_words_typed_before_the_clips_are_known_filter_them(browser: Any, address: str) -> None:
    """A filter that comes first is no fault; if no clip fits, the page says so."""
    context = browser.new_context()
    early = context.new_page()
    faults: list[str] = []
    early.on("pageerror", lambda error: faults.append(str(error)))
    held = Held(early, "**/clips?*")
    early.goto(address)
    held.wait()
    early.fill("#filter", "nothing of this name")
    early.select_option("#order", "name")
    held.release()
    wait(early, "document.getElementById('title').textContent === 'No clip has these words'")
    early.fill("#filter", "b.wav")
    early.keyboard.press("Enter")
    wait(early, "window.explorer.shown === 1")
    context.close()
    assert faults == []


def test_a_profile_that_comes_late_changes_no_choice(browser: Any, address: str) -> None:
    """The box about its floor stays as the user set it, and an image of another range is forgotten."""
    context = browser.new_context()
    early = context.new_page()
    held = Held(early, "**/histogram?*")
    early.goto(address)
    held.wait()
    early.wait_for_selector("#clip-0")
    choose(early, 0)
    early.check("#without")
    turn(early)
    held.release()
    early.wait_for_selector("body[data-profiles]")
    assert early.is_checked("#without")
    top, image = early.input_value("#top-number"), early.get_attribute("#image", "href")
    assert early.evaluate("window.explorer.back") is None or f"high={top}" in image
    context.close()


def test_an_answer_that_breaks_off_is_said_to_be_the_command_s_end(page: Any) -> None:
    """The page says what to do if the server ends before an answer, or in its middle."""
    page.route("**/clip/1/level", lambda route: route.abort("connectionreset"))
    click(page, 1)
    page.wait_for_selector("#problem:visible")
    assert text(page, "#problem") == "the command has ended; start it again"


@pytest.mark.parametrize("ask", [lambda found: found.clip(0), lambda found: found.back(0, -80.0, 0.0)])
def test_requests_that_come_at_once_share_one_work(folder: Path, ask: Callable[[Any], Any]) -> None:
    """A clip's facts, level and sound are asked for together, and read once."""
    found = collection(folder, FRONT_END)
    reads, begun = [], Event()
    reader = found._of.source.reader

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(reader, name)

        def read(self, *arguments: Any, **settings: Any) -> Any:
            reads.append(arguments[0])
            begun.wait(0.3)
            return reader.read(*arguments, **settings)

    object.__setattr__(found, "_of", replace(found._of, source=replace(found._of.source, reader=Slow())))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, [found] * 4))
    assert len(reads) == 1
    assert all(answer == answers[0] for answer in answers)
