"""`spectronorm watch` and `update` do what their help says, from folders, lists and raw streams."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import spectronorm as sn
from monitored import FRONT_END, clips, training
from spectronorm.cli.app import app
from spectronorm.monitor import (
    Incoming,
    Monitor,
    Pcm,
    Reading,
    existing,
    growing_folder,
    listed,
    pcm_file,
    pcm_stream,
    watch,
)
from spectronorm.monitor.feed.prometheus import Exporter
from spectronorm.report.drift_page import save_drift_page

COMMAND = [sys.executable, "-c", "from spectronorm.cli import main; main()"]


@dataclass(frozen=True)
class Result:
    """What a command gave back."""

    returncode: int
    stdout: bytes
    stderr: bytes


def spectronorm(*arguments: object, data: bytes = b"") -> Result:
    """Run the command in this process: starting one takes longer than what most of these tests do."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=data)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Result(result.exit_code, result.stdout_bytes, result.stderr_bytes)


def audio(folder: Path, gain: float, count: int = 24) -> Path:
    folder.mkdir()
    for number, wave in enumerate(clips(count, 2)):
        soundfile.write(folder / f"{number:03d}.wav", wave * np.float32(gain), 8_000, subtype="FLOAT")
    return folder


@pytest.fixture
def profile_path(tmp_path: Path) -> Path:
    training()[0].save(tmp_path / "profile")
    return tmp_path / "profile"


# The command


def test_once_says_by_its_exit_code_whether_there_was_an_alarm(profile_path: Path, tmp_path: Path) -> None:
    """Clips as in training give 0 and quiet ones 3, with JSON lines, a report at the end, and a page."""
    good = spectronorm("watch", audio(tmp_path / "good", 1.0), "-p", profile_path, "--once", "--json")
    assert good.returncode == 0, good.stderr
    lines = [json.loads(line) for line in good.stdout.splitlines()]
    assert len(lines) == 25
    assert lines[-1]["report"]["diagnosis"]["kind"] == "nothing"
    assert {line["clip"] for line in lines[:-1]} == set(range(1, 25))
    page = tmp_path / "drift.html"
    quiet = audio(tmp_path / "quiet", 0.05)
    told = spectronorm("watch", quiet, "-p", profile_path, "--once", "--json")
    onsets = [line for line in map(json.loads, told.stdout.splitlines()) if line.get("onset")]
    assert [line["diagnosis"]["kind"] for line in onsets] == ["level-change"]
    (quiet / "bad.wav").write_text("no audio")
    bad = spectronorm("watch", quiet, "-p", profile_path, "--once", "--report", page)
    assert bad.returncode == 3, bad.stderr
    assert b"level-change" in bad.stdout
    assert b"ALARM at" in bad.stderr
    assert b"bad.wav: unreadable" in bad.stderr
    text = page.read_text()
    assert "Alarm" in text
    assert text.count("data:image/png;base64,") == 3 + text.count("<audio")
    assert "http" not in text.replace("http://www.w3.org", "")


def test_lists_and_raw_streams_come_by_stdin(profile_path: Path, tmp_path: Path) -> None:
    """A list of names, and raw samples cut into clips, alarm like a folder."""
    quiet = audio(tmp_path / "quiet", 0.05)
    names = "\n".join(map(str, sorted(quiet.iterdir()))).encode()
    assert spectronorm("watch", "-", "-p", profile_path, "--once", data=names).returncode == 3
    raw = np.concatenate(clips(24, 2))
    options = ("--pcm", "s16le", "--pcm-rate", 8000, "--pcm-seconds", 0.5, "--once", "--json")
    for gain, code in ((1.0, 0), (0.05, 3)):
        data = np.rint(raw * gain * 32767).astype("<i2").tobytes()
        result = spectronorm("watch", "-", "-p", profile_path, *options, data=data)
        assert result.returncode == code, result.stderr
        assert json.loads(result.stdout.splitlines()[-1])["report"]["clip"] == 24


def test_a_killed_watch_goes_on_where_it_was(profile_path: Path, tmp_path: Path) -> None:
    """A growing folder with --state: after kill -9 the same command goes on with the files that are new."""
    folder, state = audio(tmp_path / "in", 1.0, 12), tmp_path / "state"
    command = [
        *COMMAND,
        "watch",
        str(folder),
        "-p",
        str(profile_path),
        "--state",
        str(state),
        "--poll",
        "0.1",
        "--json",
    ]
    for first in (0, 12):
        for number in range(first, first + 12):
            soundfile.write(folder / f"{number:03d}.wav", clips(24, 2)[number], 8_000, subtype="FLOAT")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        seen = [json.loads(process.stdout.readline())["name"] for _ in range(12)]
        assert sorted(seen) == [f"{number:03d}.wav" for number in range(first, first + 12)]
        deadline = time.time() + 20
        while time.time() < deadline:  # the state is saved when nothing new comes
            if state.exists() and Monitor.load(state, training()[0]).clips == first + 12:
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=20)
    assert Monitor.load(state, training()[0]).clips == 24


def test_once_with_a_state_takes_what_is_new(profile_path: Path, tmp_path: Path) -> None:
    """Given again, the command reads the files that came since, and says how many there were in all."""
    folder, state = audio(tmp_path / "in", 1.0, 12), tmp_path / "state"
    command = ("watch", folder, "-p", profile_path, "--once", "--json", "--state", state)
    assert len(spectronorm(*command).stdout.splitlines()) == 13
    soundfile.write(folder / "new.wav", clips(24, 2)[12], 8_000, subtype="FLOAT")
    lines = [json.loads(line) for line in spectronorm(*command).stdout.splitlines()]
    assert [line.get("name") for line in lines] == ["new.wav", None]
    assert lines[-1]["report"]["clip"] == 13
    assert len(spectronorm(*command).stdout.splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM")
def test_a_watch_that_is_stopped_tells_what_it_saw(profile_path: Path, tmp_path: Path) -> None:
    """SIGTERM and Ctrl-C end the watch over a folder with the report, the page and the state."""
    folder, page = audio(tmp_path / "in", 0.05, 12), tmp_path / "drift.html"
    settings = ["-p", profile_path, "--poll", "0.1", "--json", "--report", page, "--state", tmp_path / "state"]
    for number in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(
            [*COMMAND, "watch", *map(str, [folder, *settings])],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            seen = [process.stdout.readline() for _ in range(12 if number == signal.SIGTERM else 1)]
            process.send_signal(number)
            rest, errors = process.communicate(timeout=120)
        assert process.returncode == 130, errors
        told = [json.loads(line) for line in (*seen, *rest.splitlines())]
        assert told[-1]["report"]["diagnosis"]["kind"] == "level-change"
        assert page.exists()
        assert Monitor.load(tmp_path / "state", training()[0]).clips == 12 if number == signal.SIGTERM else 13
        page.unlink()
        soundfile.write(folder / "new.wav", clips(24, 2)[12], 8_000, subtype="FLOAT")


def test_training_clips_sharpen_the_threshold(noise_folder: Path, tmp_path: Path) -> None:
    """--training reads the clips that the profile was fitted on; others are refused."""
    folder = audio(tmp_path / "train", 1.0, 40)
    path = tmp_path / "p"
    sn.fit(folder, FRONT_END).save(path)
    result = spectronorm("watch", folder, "-p", path, "--training", folder, "--once")
    assert result.returncode == 0, result.stderr
    other = spectronorm("watch", folder, "-p", path, "--training", noise_folder, "--once")
    assert other.returncode == 2
    assert b"were not measured" in other.stderr


def test_update_and_rollback(profile_path: Path, tmp_path: Path) -> None:
    """An update writes an ordinary profile, watching by it is quiet, and rolling back gives the old file."""
    quiet, new, back = audio(tmp_path / "quiet", 0.1, 32), tmp_path / "new", tmp_path / "back"
    done = spectronorm("update", profile_path, quiet, "-o", new)
    assert done.returncode == 0, done.stderr
    assert b"level-change" in done.stdout
    assert spectronorm("show", new).returncode == 0
    assert spectronorm("watch", quiet, "-p", profile_path, "--once").returncode == 3
    assert spectronorm("watch", quiet, "-p", new, "--once").returncode == 0
    undone = spectronorm("update", new, "--rollback", "-o", back, "--json")
    assert json.loads(undone.stdout)["rolled_back"]
    assert back.read_bytes() == profile_path.read_bytes()
    silent = audio(tmp_path / "silent", 0.0, 20)
    refused = spectronorm("update", profile_path, silent, "-o", tmp_path / "x")
    assert refused.returncode == 1
    assert b"--force" in refused.stderr
    assert not (tmp_path / "x").exists()
    forced = spectronorm("update", profile_path, silent, "-o", tmp_path / "x", "--force")
    assert forced.returncode == 0
    assert b"forced despite" in forced.stderr


MISUSE = [
    "update {pipeline} {folder} -o {out}",
    "watch {folder} -p {profile} --once --false-alarms 1/week",
    "watch {folder} -p {profile} --once --window 30",
    "watch {folder} -p {profile} --pcm s16le",
    "watch - -p {profile} --pcm s24le",
    "watch {folder} -p {profile} --once --hold-out fold=9",
    "update {profile} {folder}",
    "update {profile} -o {out}",
    "update {profile} --rollback -o {out}",
    "update {profile} {folder} --rollback -o {out}",
]
FAILURE = [
    "watch missing -p {profile} --once",
    "watch missing -p {profile}",
    "watch {folder} -p missing --once",
    "watch {folder} -p {pipeline} --once",
    "watch {empty} -p {profile} --once",
    "watch - -p {profile} --once",
    "watch {folder} -p {profile} --once --state {profile}",
]


@pytest.mark.parametrize(("line", "code"), [*((line, 2) for line in MISUSE), *((line, 1) for line in FAILURE)])
def test_exit_codes_tell_misuse_from_failure(line: str, code: int, profile_path: Path, tmp_path: Path) -> None:
    """2 for misuse and 1 for failure, one line on stderr, no traceback, and nothing written."""
    folder, out = audio(tmp_path / "folder", 1.0, 20), tmp_path / "out"
    (tmp_path / "empty").mkdir()
    pipeline = tmp_path / "pipeline"
    sn.Pipeline(FRONT_END, sn.Standardize().fit(training()[0])).save(pipeline)
    places = {"folder": folder, "out": out, "profile": profile_path, "pipeline": pipeline, "empty": tmp_path / "empty"}
    result = spectronorm(*line.format(**places).split())
    assert result.returncode == code, result.stderr
    assert result.stderr
    assert b"Traceback" not in result.stderr
    assert not out.exists()


@pytest.mark.parametrize("command", ["watch", "update"])
def test_help_has_examples(command: str) -> None:
    """Each command explains itself, with an example."""
    text = spectronorm(command, "--help").stdout.decode()
    assert f"spectronorm {command} " in text.split("Examples")[1]


# Streams


def test_raw_samples_are_decoded() -> None:
    """Every format and number of channels gives the same mono clips; a short rest is dropped, half a clip counts."""
    wave = np.round(np.concatenate(clips(3, 2))[:10_500] * 32768) / 32768
    reading = Reading(FRONT_END)
    for encoding, scale in (("s16le", 32768), ("s32le", 2**31), ("f32le", 1)):
        dtype = {"s16le": "<i2", "s32le": "<i4", "f32le": "<f4"}[encoding]
        stereo = np.repeat((wave * scale).astype(dtype)[:, None], 2, axis=1)
        pcm = Pcm(encoding, 8_000, 2, seconds=0.5)
        got = list(pcm_stream(io.BytesIO(stereo.tobytes() + b"\x01"), pcm, reading))
        assert [len(c.samples) for c in got if c.samples is not None] == [4_000, 4_000, 2_500]
        np.testing.assert_allclose(np.concatenate([c.samples for c in got]), wave, atol=1e-6)  # type: ignore[arg-type]
    eight = np.rint(wave * 127 + 128).astype("u1")
    got = list(pcm_stream(io.BytesIO(eight.tobytes()[:9_999]), Pcm("u8", 8_000, 1, seconds=0.5), reading))
    assert len(got) == 2
    np.testing.assert_allclose(got[0].samples, wave[:4_000], atol=0.02)
    resampled = next(iter(pcm_stream(io.BytesIO(eight.tobytes()), Pcm("u8", 16_000, 1, seconds=0.5), reading)))
    assert resampled.samples is not None
    assert len(resampled.samples) == 4_000


def test_a_fifo_is_watched_and_opened_again(profile_path: Path, tmp_path: Path) -> None:
    """Raw samples of a FIFO count like those of stdin; after a writer closes it the next one's clips follow."""
    fifo, reading = tmp_path / "samples", Reading(FRONT_END)
    os.mkfifo(fifo)
    raw = [np.rint(wave * 32767).astype("<i2").tobytes() for wave in clips(4, 2)]

    def write(part: list[bytes]) -> None:
        with fifo.open("wb") as stream:
            stream.write(b"".join(part))

    found = pcm_file(fifo, Pcm("s16le", 8_000, 1, seconds=0.5), reading)
    names = []
    for part in (raw[:3], raw[3:]):
        writer = threading.Thread(target=write, args=(part,))
        writer.start()
        names += [next(found).name for _ in part]
        writer.join(20)
    assert names == ["clip 1", "clip 2", "clip 3", "clip 4"]
    found.close()
    (tmp_path / "raw").write_bytes(b"".join(raw))
    options = ("--pcm", "s16le", "--pcm-rate", 8000, "--pcm-seconds", 0.5, "--once", "--json")
    result = spectronorm("watch", tmp_path / "raw", "-p", profile_path, *options)
    assert json.loads(result.stdout.splitlines()[-1])["report"]["clip"] == 4
    for missing in (tmp_path / "nothing", tmp_path / "raw" / "below"):
        result = spectronorm("watch", missing, "-p", profile_path, *options)
        assert result.returncode == 1
        assert b"cannot be read" in result.stderr


@pytest.mark.parametrize(
    "settings", [{"encoding": "mp3"}, {"sample_rate": 1}, {"channels": 0}, {"seconds": 0.0}, {"seconds": float("nan")}]
)
def test_raw_streams_that_cannot_be_are_refused(settings: dict[str, float]) -> None:
    """Each with its rule."""
    with pytest.raises(sn.errors.ArgumentError):
        Pcm(**settings)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("error")
def test_a_wave_file_is_no_raw_stream_and_numbers_that_are_not_finite_are_bad_clips(tmp_path: Path) -> None:
    """The header of a WAV file would be heard as a click; bytes that are no floats cause no warning of NumPy."""
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 8000)
    with pytest.raises(sn.errors.SourceError, match="the header of a WAV file; send raw samples"):
        list(pcm_stream(io.BytesIO((tmp_path / "a.wav").read_bytes()), Pcm("s16le", 8000), Reading(FRONT_END)))
    noise = np.array([np.nan, np.inf, -np.inf, 3e38] * 4000, "<f4").tobytes()
    (clip,) = pcm_stream(io.BytesIO(noise), Pcm("f32le", 8000, 2, seconds=1.0), Reading(FRONT_END))
    assert clip is not None
    assert clip.problem is not None


def test_too_few_clips_for_an_alarm_are_told_as_such(tmp_path: Path) -> None:
    """After one clip no statistic of zero is claimed, and no error is called infinite."""
    sn.fit(audio(tmp_path / "train", 1.0, 24), FRONT_END).save(tmp_path / "p.safetensors")
    one = str(audio(tmp_path / "in", 1.0, 1))
    result = CliRunner().invoke(app, ["watch", one, "--profile", str(tmp_path / "p.safetensors"), "--once"])
    assert result.exit_code == 0, result.output
    assert "no alarm: too few clips for one" in result.stdout
    assert "statistic" not in result.stdout
    assert " inf " not in result.stdout


def test_a_folder_that_grows_is_read_in_order_once(tmp_path: Path) -> None:
    """Files come in the order in which they appear, new ones too; hidden files and others are left alone."""
    folder = audio(tmp_path / "in", 1.0, 3)
    (folder / "notes.txt").write_text("x")
    (folder / ".hidden.wav").write_text("x")
    names: list[str] = []
    quiet = 0

    def go_on() -> bool:
        return quiet < 6

    for clip in growing_folder(folder, Reading(FRONT_END), poll=0.05, go_on=go_on):
        if clip is not None:
            names.append(clip.name)
            continue
        quiet += 1
        if quiet == 2:
            (folder / "below").mkdir()
            soundfile.write(folder / "below" / "new.wav", clips(1, 2)[0], 8_000)
    assert sorted(names[:3]) == ["000.wav", "001.wav", "002.wav"]
    assert names[3:] == ["below/new.wav"]
    with pytest.raises(sn.errors.SourceError, match="no such folder"):
        next(iter(growing_folder(tmp_path / "gone", Reading(FRONT_END))))


def test_watching_counts_bad_clips_and_refuses_an_empty_stream(tmp_path: Path) -> None:
    """Bad clips are told and counted; a stream without a good one is an error."""
    profile, baseline = training()
    folder = audio(tmp_path / "in", 1.0, 4)
    (folder / "bad.wav").write_text("x")
    monitor = Monitor(profile, baseline, threshold=4.5)
    told: list[object] = []
    watch(monitor, existing(folder, Reading(FRONT_END)), told.append)
    assert (monitor.clips, monitor.bad, len(told)) == (4, 1, 5)
    nan = Incoming("nan", np.full(4_000, np.nan, np.float32), None, 0.0)
    watch(monitor, [nan, *existing(folder / "000.wav", Reading(FRONT_END))], told.append)
    assert (monitor.clips, monitor.bad) == (5, 2)
    for stream in ([], [nan], listed(["gone.wav"], Reading(FRONT_END))):
        with pytest.raises(sn.errors.SourceError, match="stream is empty"):
            watch(Monitor(profile, baseline, threshold=4.5), stream, told.append)


# Gauges and pages


def test_gauges_are_served_on_loopback() -> None:
    """Prometheus finds the figures by band and the diagnosis, on 127.0.0.1 only."""
    pytest.importorskip("prometheus_client")
    profile, baseline = training()
    monitor = Monitor(profile, baseline, threshold=4.5)
    for wave in clips(12, 2):
        monitor.add(wave * np.float32(0.1))
    exporter = Exporter(FRONT_END, 0)
    try:
        exporter.update(monitor.report())
        text = urllib.request.urlopen(f"http://127.0.0.1:{exporter.port}/metrics", timeout=10).read().decode()
        with pytest.raises(sn.errors.ArgumentError, match="another port"):
            Exporter(FRONT_END, exporter.port)
        assert exporter._server.server_address[0] == "127.0.0.1"
    finally:
        exporter.close()
    assert "spectronorm_alarm 1.0" in text
    assert 'spectronorm_diagnosis{kind="level-change"} 1.0' in text
    assert text.count("spectronorm_band_psi{") == FRONT_END.n_bands
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", exporter.port)) != 0
    assert not any("prometheus" in thread.name for thread in threading.enumerate())


def test_the_page_shows_a_window_that_has_not_moved_yet(tmp_path: Path) -> None:
    """With fewer clips than a pane there is a page too; with none there is an error and no file."""
    profile, _ = training()
    monitor = Monitor(profile, threshold=4.5)
    with pytest.raises(sn.errors.ArgumentError, match="empty"):
        save_drift_page(tmp_path / "x.html", "drift", monitor)
    assert not list(tmp_path.iterdir())
    monitor.add(clips(1, 2)[0])
    save_drift_page(tmp_path / "x.html", "drift <&>", monitor)
    assert "drift &lt;&amp;&gt;" in (tmp_path / "x.html").read_text()
