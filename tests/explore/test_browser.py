"""The explorer's page in headless Chromium: what a user sees, hears and can do by keyboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette")

import spectronorm as sn
from explore.cases import RATE, client, collection, opened, options, serving, tones, wait
from spectronorm.audio import ClipReference, Source
from spectronorm.explore.collection import Collection, Explored
from spectronorm.explore.raised_floor import LevelCounts
from spectronorm.normalize.safe_scale import safe_scale

FRONT_END = sn.FrontEnd(16_000, bands=sn.Mel(16))
SECONDS = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten noises that fade in and out, at different levels, half of each with digital silence, and a broken file."""
    place = tmp_path_factory.mktemp("browser") / "noises"
    place.mkdir()
    rng = np.random.default_rng(0)
    for number in range(10):
        wave = 0.01 * (number + 1) * rng.standard_normal(SECONDS * RATE) * np.linspace(0, 1, SECONDS * RATE)
        wave[: RATE // 2] = 0
        soundfile.write(place / f"{number}.wav", wave, RATE)
    (place / "broken.wav").write_bytes(b"nothing")
    return place


@pytest.fixture(scope="module")
def profile(folder: Path) -> sn.Profile:
    return sn.fit(folder, FRONT_END, max_bad=0.5)


@pytest.fixture(scope="module")
def address(folder: Path, profile: sn.Profile) -> Iterator[str]:
    with serving(collection(folder, FRONT_END, {"train.safetensors": profile})) as found:
        yield found


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page with its first clip drawn; any error of a script, and any request to elsewhere, fails the test."""
    with opened(browser, address) as found:
        yield found


def with_profile(page: Any) -> Any:
    page.wait_for_selector("body[data-profiles]")
    return page


def choose(page: Any, name: str) -> None:
    """Choose a clip by its name, and wait until it is drawn."""
    page.fill("#filter", name)
    page.keyboard.press("Enter")
    number = int(page.locator(".clip").first.get_attribute("id").removeprefix("clip-"))
    page.wait_for_selector(f'body[data-clip="{number}"]')


def set_floor(page: Any, floor: float) -> None:
    page.fill("#floor-number", str(floor))
    page.keyboard.press("Enter")
    wait(page, f"document.body.dataset.drawn.startsWith('{floor:g} ')")


def values(page: Any) -> dict[str, np.ndarray]:
    """The normalized values of every picture, row by row."""
    text = "JSON.stringify([...window.explorer.pictures].map(([name, one]) => [name, Array.from(one.values)]))"
    return {name: np.array(numbers) for name, numbers in json.loads(page.evaluate(text))}


def test_the_page_shows_what_is_odd_first(page: Any) -> None:
    """The file that cannot be read stands first and is told in words; the first sound is drawn with its axes."""
    assert page.locator(".clip").first.inner_text().startswith("broken.wav")
    assert "unreadable" in page.locator("#problem").inner_text()
    choose(page, "3.wav")
    assert page.locator("#problem").is_hidden()
    assert page.locator("figure canvas[role=img]").count() == 4
    assert "8,000 Hz" not in page.locator(".hz").first.inner_text()  # no mel band lies so high
    assert page.locator(".time").first.inner_text().endswith("s")


def test_javascript_equals_python_on_ten_clips(page: Any, folder: Path, profile: sn.Profile) -> None:
    """Every normalization of the page is the library's within 1e-5, at the profile's floor and at a higher one."""
    with_profile(page)
    names = ("none", "global", "band", "minmax", "minmax-band", "robust", "robust-band", "clip", "clip-band")
    for name in names:
        page.evaluate(f"document.getElementById('with-{name}').checked = true")
    raised_data = {one: LevelCounts.of(profile, pooled=one == "global").raised(-60.5) for one in ("global", "band")}
    for number in range(10):
        choose(page, f"{number}.wav")
        level = FRONT_END.clip_level(sn.read(folder / f"{number}.wav", 16_000))
        set_floor(page, -100)
        found = values(page)
        for name in names:
            wanted = np.asarray(sn.normalizer(name).fit(profile)(level))
            np.testing.assert_allclose(found[name], wanted.ravel(), atol=1e-5, err_msg=name)
        set_floor(page, -60.5)
        found, raised = values(page), np.maximum(level, -60.5)
        for name, data in raised_data.items():
            wanted = (raised - data.mean[:, None]) / safe_scale(data.std, 0.25)[:, None]
            np.testing.assert_allclose(found[name], wanted.ravel(), atol=1e-5, err_msg=name)
        band = raised_data["band"]
        wanted = (raised - band.min[:, None]) / safe_scale(band.max - band.min, 0.25)[:, None]
        np.testing.assert_allclose(found["minmax-band"], wanted.ravel(), atol=1e-5)
        for name in ("clip", "clip-band"):
            wanted = np.asarray(sn.normalizer(name).fit(profile)(raised))
            np.testing.assert_allclose(found[name], wanted.ravel(), atol=1e-5, err_msg=name)
        shown = page.evaluate("window.explorer.statistics.clip")
        assert abs(shown["mean"] - raised.mean()) < 1e-5
        assert abs(shown["std"] - raised.std()) < 1e-5
        assert abs(shown["onFloor"] - (raised <= -60.5).mean()) < 1e-5


def test_floor_and_top_move_everything(page: Any) -> None:
    """A step of the floor changes statistics, histogram, pictures and the settings; top and floor never cross."""
    with_profile(page)
    choose(page, "5.wav")
    before = [page.locator(one).inner_html() for one in ("#figures", "#histogram", "#bands")]
    picture = page.evaluate("document.querySelector('figure canvas').toDataURL()")
    page.focus("#floor")
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    wait(page, "Number(document.body.dataset.drawn.split(' ')[0]) > -75")
    after = [page.locator(one).inner_html() for one in ("#figures", "#histogram", "#bands")]
    assert all(one != other for one, other in zip(before, after, strict=True))
    assert page.evaluate("document.querySelector('figure canvas').toDataURL()") != picture
    floor = page.input_value("#floor")
    wait(page, f"document.getElementById('commands').textContent.includes('--floor-db {float(floor)}')")
    page.fill("#top-number", "-1000")
    page.keyboard.press("Enter")
    assert float(page.input_value("#top")) > float(page.input_value("#floor"))
    page.click("#reset")
    wait(page, "document.body.dataset.drawn.startsWith('-100 ')")


def test_sound_and_pictures_move_together(page: Any) -> None:
    """A click on a picture seeks to its time, and the cursor stands where the sound is."""
    choose(page, "4.wav")
    wait(page, "document.getElementById('audio').readyState >= 1")
    box = page.locator(".stack").first.bounding_box()
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 20)
    assert abs(page.evaluate("document.getElementById('audio').currentTime") - 0.25 * SECONDS) < 0.02
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    wait(page, "!document.getElementById('audio').seeking")
    assert abs(page.evaluate("document.getElementById('audio').currentTime") - (0.25 * SECONDS + 1.1)) < 0.02
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    left = page.evaluate("[...document.querySelectorAll('.cursor')].map((one) => parseFloat(one.style.left))")
    assert len(left) == 4
    frames = FRONT_END.frames(SECONDS * RATE)
    hop = FRONT_END.stft.hop / RATE
    np.testing.assert_allclose(left, 100 * ((0.25 * SECONDS + 1.1) / hop + 0.5) / frames, atol=1)
    page.keyboard.press(" ")
    wait(page, "!document.getElementById('audio').paused")
    page.keyboard.press(" ")
    wait(page, "document.getElementById('audio').paused")


def test_everything_is_done_by_keyboard(page: Any) -> None:
    """From the top of the page: list, filter, next clip, floor, image to sound and back; keys can be turned off."""
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("/")
    page.keyboard.type("wav")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "list"
    page.keyboard.press("End")
    page.wait_for_selector('body[data-clip="9"]')
    chosen = page.locator("[aria-selected=true]")
    assert chosen.get_attribute("aria-posinset") == "11"
    assert page.get_attribute("#list", "aria-activedescendant") == chosen.get_attribute("id")
    page.keyboard.press("k")
    page.wait_for_selector('body[data-clip="8"]')
    page.keyboard.press("]")
    wait(page, "!document.body.dataset.drawn.startsWith('-100 ')")
    page.keyboard.press("i")
    page.wait_for_selector('body[data-back="8"]')
    assert page.is_checked("#after")
    page.keyboard.press("b")
    assert page.is_checked("#before")
    page.keyboard.press("?")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.uncheck("#keys")
    page.keyboard.press("k")
    page.wait_for_timeout(200)
    assert page.get_attribute("body", "data-clip") == "8"


def test_the_image_is_heard(page: Any, folder: Path) -> None:
    """Before and after play the two sounds; another clip forgets the image."""
    choose(page, "7.wav")
    page.click("#turn")
    page.wait_for_selector("body[data-back]")
    assert page.locator("figure").count() == 5
    assert "% of the cells lay outside that range" in page.locator("#turned").inner_text()
    assert "/back/sound" in page.get_attribute("#audio", "src")
    wait(page, "document.getElementById('audio').duration > 0")
    assert abs(page.evaluate("document.getElementById('audio').duration") - SECONDS) < 0.01
    page.check("#before")
    assert page.get_attribute("#audio", "src").endswith("/sound")
    assert "/back/" not in page.get_attribute("#audio", "src")
    choose(page, "2.wav")
    assert page.locator("#which").is_hidden()
    assert page.locator("figure").count() == 4


def test_two_profiles_are_compared_band_by_band(browser: Any, folder: Path, profile: sn.Profile) -> None:
    """A profile of sounds that are 6 dB louder lies 6 dB above in every band."""
    louder = folder.parent / "louder"
    louder.mkdir(exist_ok=True)
    for path in folder.glob("[0-9].wav"):
        soundfile.write(louder / path.name, np.clip(2 * soundfile.read(path)[0], -1, 1), RATE)
    other = sn.fit(louder, FRONT_END)
    found = collection(folder, FRONT_END, {"a/one.safetensors": profile, "b/two.safetensors": other})
    with serving(found) as address, opened(browser, address) as page:
        page.wait_for_selector('body[data-profiles="2"]')
        choose(page, "1.wav")
        said = page.locator("#difference").inner_text()
        gap = other.overall.mean - profile.overall.mean
        assert said == f"All bands pooled: two.safetensors is {gap:.2f} dB above one.safetensors."
        rows = page.locator("#farthest tbody tr").all_inner_texts()
        assert len(rows) == 5
        assert all("Hz" in row and "+" in row for row in rows)


def test_profiles_stand_in_their_order(browser: Any, folder: Path, profile: sn.Profile) -> None:
    """Whichever profile answers first, the first one is compared with the second, and a user's choice is kept."""
    names = ("one", "two", "three")
    found = collection(folder, FRONT_END, dict.fromkeys(names, profile))
    with serving(found) as address, opened(browser, address) as page:
        page.route("**/profile?name=one", lambda route: (page.wait_for_timeout(1500), route.continue_()))
        page.reload()
        page.wait_for_selector('body[data-profiles="3"]')
        assert [page.input_value("#first"), page.input_value("#second")] == ["one", "two"]
        assert page.locator("#second option").all_inner_texts() == list(names)
        choose(page, "1.wav")
        page.select_option("#second", "three")
        found.listener.start()
        page.wait_for_selector('body[data-profiles="4"]')
        assert [page.input_value("#first"), page.input_value("#second")] == ["one", "three"]
        found.listener.stop()


def test_a_measured_source_becomes_a_profile(browser: Any, tmp_path: Path) -> None:
    """Without a profile the page measures the source, sorts by distance, and then normalizes by what it measured."""
    found = collection(tones(tmp_path / "tones"), FRONT_END)
    with serving(found) as address, opened(browser, address) as page:
        choose(page, "1.wav")
        assert "needs a profile" in page.locator("figure").nth(1).inner_text()
        found.listener.start()
        page.wait_for_selector('body[data-profiles="1"]')
        assert "needs a profile" not in page.locator("figure").nth(1).inner_text()
        page.fill("#filter", "")
        page.select_option("#order", "name")
        page.select_option("#order", "odd")
        first = page.locator(".clip").all_inner_texts()
        assert first[0].startswith("low/broken.wav")
        assert first[1].startswith("low/3.wav")
        assert "SD" in first[1]
        found.listener.stop()


def test_hostile_names_and_labels_are_text(browser: Any, tmp_path: Path) -> None:
    """HTML in names and labels is shown, not run; marks of direction and line breaks are shown as escapes."""
    path = tmp_path / "one.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(RATE), RATE)
    names = [
        "<img src=x onerror=alert(1)>",
        "<script>alert(2)</script>",
        "a\nb",
        "\u202etxt.exe",
        "'\"><svg onload=alert(3)>",
    ]
    clips = [ClipReference(name, path, {"label": f"{name}!", "note": name}) for name in names]
    found = Collection(Explored("<b>title</b>\u202e", Source.of(clips), FRONT_END, {}, options))
    with serving(found) as address, opened(browser, address) as page:
        for number in range(len(names)):
            page.keyboard.press("j") if number else None
            page.wait_for_selector(f'body[data-clip="{number}"]')
        shown = page.locator("#list").inner_text()
        assert "<img src=x onerror=alert(1)>" in shown
        assert "<script>alert(2)</script>" in shown
        assert r"a\nb" in shown
        assert r"\u202etxt.exe" in shown
        assert page.locator("#source").inner_text() == r"<b>title</b>\u202e"
        assert page.locator("#list img, #list script, #list svg, main img, main script, #source b").count() == 0
        assert "\u202e" not in page.content()


def test_a_long_label_leaves_the_clip_in_view(browser: Any, tmp_path: Path) -> None:
    """Name, label and columns of any length take a few lines, which scroll."""
    path = tmp_path / "one.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(RATE), RATE)
    clips = [ClipReference("one.wav", path, {"label": "x" * 100_000, "note": "y " * 50_000})]
    found = Collection(Explored("long", Source.of(clips), FRONT_END, {}, options))
    with serving(found) as address, opened(browser, address) as page:
        assert page.locator("#player").bounding_box()["y"] < 400
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_hundred_thousand_clips_fit_into_the_list(browser: Any, tmp_path: Path) -> None:
    """Only the rows in view are in the page; the last clip and any filtered one are reached at once."""
    path = tmp_path / "one.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(RATE), RATE)
    clips = tuple(ClipReference(f"clip-{number:06d}.wav", path) for number in range(100_000))
    found = Collection(Explored("many", Source(clips), FRONT_END, {}, options))
    with serving(found) as address, opened(browser, address) as page:
        wait(page, "document.getElementById('found').textContent.startsWith('100,000 of')")
        page.focus("#list")
        page.keyboard.press("End")
        page.wait_for_selector('body[data-clip="99999"]')
        assert page.locator(".clip").count() < 40
        assert page.locator("[aria-selected=true]").inner_text().startswith("clip-099999.wav")
        assert page.locator("[aria-selected=true]").get_attribute("aria-setsize") == "100000"
        page.evaluate("document.getElementById('list').scrollTop = 44 * 50000")
        page.wait_for_selector("#clip-50001")
        choose(page, "clip-012345")
        assert page.locator("#title").inner_text() == "clip-012345.wav"
        assert page.locator(".clip").count() == 1


def test_two_browsers_do_not_disturb_each_other(browser: Any, address: str) -> None:
    """Each window keeps its own clip and floor, while both ask at once."""
    with opened(browser, address) as one, opened(browser, address) as other:
        choose(one, "1.wav")
        choose(other, "8.wav")
        set_floor(one, float(one.get_attribute("#floor", "max")) - 5)
        set_floor(other, -70)
        assert one.get_attribute("body", "data-clip") == "1"
        assert other.get_attribute("body", "data-clip") == "8"
        floors = [page.evaluate("window.explorer.statistics.clip.onFloor") for page in (one, other)]
        assert floors[0] > floors[1] > 0


def test_the_page_fits_a_phone(browser: Any, address: str) -> None:
    """Nothing is wider than the screen, and the pictures stand below each other."""
    phone = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
    with opened(browser, address, **phone) as page:
        choose(page, "6.wav")
        with_profile(page)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        boxes = [page.locator("figure").nth(number).bounding_box() for number in range(4)]
        assert len({round(box["x"]) for box in boxes}) == 1
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)


def test_every_control_has_a_name(page: Any) -> None:
    """A screen reader can tell each control, picture and table."""
    with_profile(page)
    choose(page, "6.wav")
    controls = "button, select, input, canvas[role=img], svg[role=img], audio, pre[tabindex]"
    named = "one.ariaLabel || one.hasAttribute('aria-labelledby') || one.labels?.length || one.textContent.trim()"
    unnamed = page.evaluate(
        f"[...document.querySelectorAll('{controls}')].filter((one) => one.checkVisibility() && !({named}))"
        ".map((one) => one.outerHTML)"
    )
    assert unnamed == []
    assert page.get_attribute("html", "lang") == "en"


def test_a_page_without_its_command_says_so(browser: Any, folder: Path) -> None:
    """When the command has ended, the next clip is refused in words."""
    with serving(collection(folder, FRONT_END)) as address:
        shown = opened(browser, address)
        page = shown.__enter__()
        choose(page, "1.wav")
    page.fill("#filter", "")
    page.focus("#list")
    page.keyboard.press("Home")
    wait(page, "document.getElementById('problem').textContent.includes('the command has ended')")
    shown._context.close()


def test_levels_without_sound_are_drawn(browser: Any, tmp_path: Path) -> None:
    """Files of levels made elsewhere have pictures, bands and frames, and no player."""
    levels = sn.Levels(bands=8, unit="ln", low=-20, high=5)
    rng = np.random.default_rng(0)
    for number in range(3):
        np.save(tmp_path / f"{number}.npy", rng.normal(-5, 1, (8, 40)).astype(np.float32))
    with serving(collection(tmp_path, levels)) as address, opened(browser, address) as page:
        assert page.locator("#player").is_hidden()
        assert page.locator("#turning").is_hidden()
        assert page.locator(".time").first.inner_text().endswith("40 frames")
        assert replace(levels, floor=None).floor == page.evaluate("Number(document.getElementById('floor').value)")


def test_the_client_of_these_tests_is_the_page(folder: Path) -> None:
    """The address without the secret is not the page, so no test above opened another."""
    assert client(collection(folder, FRONT_END)).get("/").status_code == 404
