"""The explorer's server: this machine only, read only, clips by number."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette")

import spectronorm as sn
from explore.cases import SECRET, client, collection, measured, status_of, tones
from spectronorm.explore.ranges import part_of

FRONT_END = sn.FrontEnd(16_000, bands=sn.Mel(16))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tones(tmp_path / "tones")


def get(of: object, path: str, **more: object) -> object:
    return of.get(f"/{SECRET}/{path}", **more)  # type: ignore[attr-defined]


def test_a_clip_is_its_level_and_its_sound(folder: Path) -> None:
    """The level is the front end's, and the sound is the clip at the front end's rate."""
    page = client(collection(folder, FRONT_END))
    names = [row[0] for row in get(page, "clips?first=0").json()["rows"]]
    assert names == [f"low/{number}.wav" for number in range(6)] + ["low/broken.wav"]
    facts = get(page, "clip/3").json()
    level = np.frombuffer(get(page, "clip/3/level").content, "<f4").reshape(16, facts["frames"])
    wave = sn.read(folder / "low" / "3.wav", 16_000)
    np.testing.assert_allclose(level, FRONT_END.clip_level(wave), atol=1e-5)
    (folder / "back.wav").write_bytes(get(page, "clip/3/sound").content)
    sound, rate = soundfile.read(folder / "back.wav")
    assert rate == 16_000
    np.testing.assert_allclose(sound, wave, atol=1 / 32768)


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_of_a_name(folder: Path) -> None:
    """Every answer forbids foreign scripts, styles, frames and guessing of types."""
    page = client(collection(folder, FRONT_END))
    for path in ("", "explore.js", "about", "clip/0/sound", "clip/99"):
        headers = get(page, path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.1:8765", "LOCALHOST:1"])
def test_this_machine_is_answered(folder: Path, host: str) -> None:
    assert get(client(collection(folder, FRONT_END)), "about", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "localhost:1:2", "[::1]", ":80"]
)
def test_another_host_is_refused(folder: Path, host: str) -> None:
    """A page elsewhere that points its own name at this machine learns nothing."""
    answer = get(client(collection(folder, FRONT_END)), "about", headers={"host": host})
    assert answer.status_code == 400
    assert "address that the command printed" in answer.text


def test_the_secret_is_needed(folder: Path) -> None:
    """Without the secret part of the address there is nothing, not even the page."""
    page = client(collection(folder, FRONT_END))
    assert [page.get(path).status_code for path in ("/", "/about", "/wrong/about", "/clip/0")] == [404] * 4


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "options"])
def test_nothing_but_reading_is_answered(folder: Path, method: str) -> None:
    assert getattr(client(collection(folder, FRONT_END)), method)(f"/{SECRET}/clip/0").status_code == 405


@pytest.mark.parametrize(
    "number", ["-1", "7", "1.0", "0x1", "٣", "1e0", "9" * 5000, "..%2f..%2fetc%2fpasswd", "%00", "0%0a"]
)
def test_a_clip_that_is_not_there_is_404(folder: Path, number: str) -> None:
    assert get(client(collection(folder, FRONT_END)), f"clip/{number}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/server.py",
        "server.py",
        "page/index.html",
        "index.html%00",
        "explore.js/..",
        "/etc/passwd",
        "clip/0/../../server.py",
        "clip/0/level/low/0.wav",
    ],
)
def test_no_path_leads_to_a_file(folder: Path, path: str) -> None:
    assert status_of(collection(folder, FRONT_END), f"/{SECRET}/{path}") == 404


@pytest.mark.parametrize(
    "path",
    [
        "clips?first=-1",
        "heard?since=x",
        "profile",
        "profile?name=none",
        "histogram?name=../../etc/passwd",
        "clip/0/back?low=nan&high=1",
        "clip/0/back?low=1&high=0",
        "clip/0/settings?normalize=__import__",
        "clip/0/settings?normalize=global&floor=inf",
        "clip/0/settings?normalize=global&floor=-1e9",
    ],
)
def test_a_wrong_question_is_refused_in_words(folder: Path, path: str) -> None:
    answer = get(client(collection(folder, FRONT_END)), path)
    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10


def test_a_clip_that_cannot_be_read_says_why(folder: Path) -> None:
    """The page shows the reason in place of a picture; other clips are not affected."""
    page = client(collection(folder, FRONT_END))
    for path in ("clip/6", "clip/6/level", "clip/6/sound", "clip/6/back?low=-50&high=0"):
        answer = get(page, path)
        assert answer.status_code == 422
        assert "broken.wav: unreadable: " in answer.json()["error"]
    assert get(page, "clip/0").status_code == 200


def test_a_clip_that_is_gone_says_so(folder: Path) -> None:
    page = client(collection(folder, FRONT_END))
    (folder / "low" / "2.wav").unlink()
    assert "2.wav: missing: " in get(page, "clip/2").json()["error"]


def test_sound_is_given_in_parts(folder: Path) -> None:
    """A browser seeks by asking for a range of bytes."""
    page = client(collection(folder, FRONT_END))
    whole = get(page, "clip/0/sound")
    assert (whole.status_code, whole.headers["accept-ranges"]) == (200, "bytes")
    part = get(page, "clip/0/sound", headers={"range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    assert get(page, "clip/0/sound", headers={"range": f"bytes={len(whole.content)}-"}).status_code == 416


@pytest.mark.parametrize(
    ("wanted", "status", "body"),
    [
        (None, 200, b"0123456789"),
        ("bytes=0-", 206, b"0123456789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-30", 206, b"0123456789"),
        ("bytes=4-400", 206, b"456789"),
        ("bytes=9-9", 206, b"9"),
        ("bytes=10-", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=5-4", 200, b"0123456789"),
        ("bytes=-", 200, b"0123456789"),
        ("bytes=0-1,4-5", 200, b"0123456789"),
        ("bytes=٣-", 200, b"0123456789"),
        (f"bytes={'9' * 40}-", 200, b"0123456789"),
        ("items=0-1", 200, b"0123456789"),
        ("bytes=a-b", 200, b"0123456789"),
    ],
)
def test_ranges_follow_the_standard(wanted: str | None, status: int, body: bytes) -> None:
    found = part_of(b"0123456789", wanted)
    assert (found.status, found.body) == (status, body)


def test_the_oddest_clip_is_known(folder: Path) -> None:
    """The loud clip is farthest from the others, at the band of its tone, and the broken one is named."""
    with measured(collection(folder, FRONT_END)) as found:
        news = get(client(found), "heard?since=0").json()
    assert (news["heard"], news["inspected"], news["total"], news["done"], news["problem"]) == (7, 7, 7, True, None)
    latest = {row[0]: row for row in news["news"]}
    assert max((row for row in latest.values() if row[1] is not None), key=lambda row: row[1])[0] == 3
    hz = FRONT_END.band_hz()
    assert abs(hz[latest[3][2]] - 440) < 200
    assert latest[3][3] > 1
    assert latest[6][5] is True
    assert latest[6][4][0].startswith("unreadable: ")


def test_what_an_inspection_finds_is_told(tmp_path: Path) -> None:
    """A clipped sound and a copy stand in the list with their reasons, beside their distance."""
    rng = np.random.default_rng(0)
    for number in range(5):
        wave = 0.1 * rng.standard_normal(16_000)
        soundfile.write(tmp_path / f"{number}.wav", np.clip(20 * wave, -1, 1) if number == 2 else wave, 16_000)
    (tmp_path / "copy.wav").write_bytes((tmp_path / "1.wav").read_bytes())
    with measured(collection(tmp_path, FRONT_END)) as found:
        remarks = {number: found.listener.of(number) for number in range(6)}
    told = {number: "; ".join(one.remarks) for number, one in remarks.items() if one is not None}
    assert "clipped: " in told[2]
    assert "copy: " in told[5]
    assert all(one is not None and one.oddness is not None for one in remarks.values())


def test_the_measured_source_is_what_fit_measures(folder: Path) -> None:
    """Without a profile the page measures the source itself, to the last integer."""
    fitted = sn.fit(folder, FRONT_END, max_bad=0.5)
    with measured(collection(folder, FRONT_END)) as found:
        assert found.listener.profile is not None
        assert found.listener.profile.total == fitted.total


def test_what_a_profile_says_of_clips_is_known_at_once(folder: Path) -> None:
    """Bad files of the profile stand first before any clip is read."""
    profile = sn.fit(folder, FRONT_END, max_bad=0.5)
    news = get(client(collection(folder, FRONT_END, {"p": profile})), "heard?since=0").json()
    assert [(row[0], row[5]) for row in news["news"]] == [(6, True)]
    assert news["profiles"] == ["p"]


def test_a_profile_of_another_front_end_is_refused(folder: Path) -> None:
    other = sn.fit(folder, sn.FrontEnd(16_000, bands=sn.Mel(20)), max_bad=0.5)
    with pytest.raises(sn.errors.FrontEndMismatch, match=r"bands\.n_mels"):
        collection(folder, FRONT_END, {"other.safetensors": other})


def test_an_image_plays_again(folder: Path) -> None:
    """Image and sound are made from the level in the range that was asked for."""
    page = client(collection(folder, FRONT_END))
    facts = get(page, "clip/0/back?low=-60&high=0").json()
    assert facts["clipped"] > 0
    assert 0 < facts["difference"] < 3
    image = get(page, "clip/0/back/image?low=-60&high=0").content
    assert image.startswith(b"\x89PNG")
    assert len(image) == facts["bytes"]
    (folder / "image.png").write_bytes(image)
    assert sn.images.decode(folder / "image.png").level.min() >= -60
    assert get(page, "clip/0/back/sound?low=-60&high=0").content.startswith(b"RIFF")
    assert len(get(page, "clip/0/back/level?low=-60&high=0").content) == 4 * 16 * facts["frames"]


def test_levels_made_elsewhere_are_shown_without_sound(tmp_path: Path) -> None:
    """Files of levels have pictures; there is nothing to play and nothing to invert."""
    levels = sn.Levels(bands=8, unit="dB", low=-100, high=50, frame_rate=100)
    np.save(tmp_path / "a.npy", np.linspace(-80, 0, 8 * 20, dtype=np.float32).reshape(8, 20))
    page = client(collection(tmp_path, levels))
    about = get(page, "about").json()
    assert (about["sound"], about["hz"], about["frameStep"]) == (False, None, 0.01)
    assert get(page, "clip/0").json()["seconds"] == 0.2
    assert get(page, "clip/0/sound").status_code == 400
    assert "made elsewhere" in get(page, "clip/0/back?low=-80&high=0").json()["error"]


def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    """Marks of direction, line breaks and bytes that are no UTF-8 reach the page as escapes, in valid JSON."""
    folder = tmp_path / "x"
    folder.mkdir()
    for name in ["<img src=x onerror=alert(1)>.wav", "a\nb.wav", "\u202egpj.wav", "\udcff.wav"]:
        soundfile.write(str(tmp_path / "one.wav"), np.zeros(8000), 16_000)
        (tmp_path / "one.wav").rename(folder / name)
    page = client(collection(folder, FRONT_END))
    answer = get(page, "clips")
    rows = [row[0] for row in json.loads(answer.content)["rows"]]
    assert sorted(rows) == sorted(["<img src=x onerror=alert(1)>.wav", r"a\nb.wav", r"\u202egpj.wav", r"\xff.wav"])
    assert get(page, "clip/0").status_code == 200


def test_a_long_recording_is_shown_in_part(tmp_path: Path) -> None:
    """Of a recording of two minutes, the first minute is read and shown, and the page says so."""
    soundfile.write(tmp_path / "long.wav", 0.1 * np.random.default_rng(0).standard_normal(120 * 8000), 8000)
    page = client(collection(tmp_path, sn.FrontEnd(8000, stft=sn.STFT(256, hop_length=128), bands=sn.Mel(8))))
    facts = get(page, "clip/0").json()
    assert facts["seconds"] == 60
    assert "first 60 of 120.0 s" in facts["remarks"][0]


def test_the_measurement_waits_for_the_first_picture(folder: Path) -> None:
    """With a head start nothing is measured until a clip was shown; a clip that cannot be read ends it too."""
    of = collection(folder, FRONT_END)
    of.listener.start(3600)
    of.prepare()
    assert of.listener.progress().heard == 0
    broken = next(number for number, clip in enumerate(of.clips) if "broken" in clip.name)
    with pytest.raises(sn.errors.AudioError):
        of.level(broken)
    assert of.listener.wait(60)
    assert of.listener.progress().heard == of.count


def test_a_page_that_is_closed_at_once_ends_the_head_start(folder: Path) -> None:
    """Stopping does not wait for a browser that never comes."""
    of = collection(folder, FRONT_END)
    of.listener.start(3600)
    of.listener.stop()
    assert not of.listener.progress().heard
