"""Nothing vanishes or shifts: files, classes, short clips, noise and padding are what was asked for."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from spectronorm.audio import open_source
from spectronorm.augment import Noise
from spectronorm.errors import ArgumentError, TooManyBad
from spectronorm.front_end.compress.decibel import Decibel

from .bad_inputs import pcm, tone, wav
from .command_line import run

RATE = 16_000


def clips(folder: Path, *names: str, seconds: float = 0.5) -> Path:
    """Clips of these names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, tone(seconds), RATE)
    return folder


def test_files_that_are_not_read_are_counted(tmp_path: Path) -> None:
    """By suffix, hidden ones apart."""
    clips(tmp_path, "dog/a.wav")
    for name in ("dog/b.pdf", "dog/c.pdf", "notes.txt", ".hidden.pdf"):
        (tmp_path / name).write_bytes(b"x")
    source = open_source(tmp_path)
    assert (len(source), source.unread) == (1, {".pdf": 2, ".txt": 1})


def test_folders_are_walked_once_and_without_recursion(tmp_path: Path) -> None:
    """A fan of links has four million paths; a deep folder has more levels than the stack of Python."""
    clips(tmp_path / "fan" / "l0", "a.wav")
    for i in range(22):
        (tmp_path / "fan" / f"l{i + 1}").mkdir()
        for name in "ab":
            (tmp_path / "fan" / f"l{i}" / name).symlink_to(f"../l{i + 1}")
    clips(tmp_path / "fan" / "l22", "end.wav")
    assert [clip.name for clip in open_source(tmp_path / "fan")] == ["l0/a.wav", "l22/end.wav"]
    deep = f"{tmp_path}/deep"
    for _ in range(1200):
        os.mkdir(deep)  # noqa: PTH102
        deep += "/d"
    Path(f"{deep[:-2]}/a.wav").write_bytes(wav(pcm()))
    try:
        assert len(open_source(tmp_path / "deep")) == 1
    finally:  # pytest could not: it removes folders by recursion
        deep = deep[:-2]
        Path(f"{deep}/a.wav").unlink()
        while deep != str(tmp_path):
            os.rmdir(deep)  # noqa: PTH106
            deep = os.path.dirname(deep)  # noqa: PTH120


def test_rows_of_pieces_are_measured_as_pieces(tmp_path: Path) -> None:
    """A quiet and a loud half of one recording: each has its own level, and the whole is counted once."""
    rng = np.random.default_rng(0)
    halves = np.concatenate([1e-3 * rng.standard_normal(160_000), 0.1 * rng.standard_normal(160_000)])
    soundfile.write(tmp_path / "rec.wav", halves, 16_000, subtype="FLOAT")
    (tmp_path / "t.csv").write_text("path,start,end,label\nrec.wav,0,10,quiet\nrec.wav,10,20,loud\n")
    profile = sn.fit(tmp_path / "t.csv", sn.FrontEnd(16_000), group_by=["label"])
    assert profile.seconds == 20.0
    quiet, loud = (profile.only(label=label).overall.mean for label in ("quiet", "loud"))
    assert loud - quiet == pytest.approx(40.0, abs=0.1)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize(("samples", "level"), [(65_504, 0.1), (80_000, 0.1), (80_000, 1e-3)])
def test_noise_in_half_precision_has_the_ratio_that_was_asked_for(kind: str, samples: int, level: float) -> None:
    """Neither many samples nor quiet ones overflow or underflow its sums."""
    wave = (level * np.random.default_rng(1).standard_normal((1, samples))).astype(np.float16)
    given = wave
    if kind == "torch":
        given = pytest.importorskip("torch").from_numpy(wave)
    noisy = np.asarray(Noise(10, 10)(given, np.random.default_rng(0)))
    assert noisy.dtype == np.float16
    added = noisy.astype(np.float64) - wave
    assert 10 * np.log10((wave.astype(np.float64) ** 2).mean() / (added**2).mean()) == pytest.approx(10, abs=0.1)


def test_short_clips_are_padded_before_they_are_judged(tmp_path: Path) -> None:
    """With a duration, a clip shorter than one window counts with one window in every pass."""
    clips(tmp_path / "in", "long.wav")
    soundfile.write(tmp_path / "in" / "short.wav", tone()[:300], RATE)
    front_end = sn.FrontEnd(RATE)
    with pytest.raises(TooManyBad):
        sn.fit(tmp_path / "in", front_end)
    profile = sn.fit(tmp_path / "in", front_end, duration=1.0)
    assert profile.clips == 2
    pipeline = sn.Pipeline(front_end, sn.normalizer("none").fit(profile))
    assert sn.apply(tmp_path / "in", pipeline, tmp_path / "out", duration=1.0).written == 2
    padded = np.load(tmp_path / "out" / "short.npy")
    assert padded[:, -1] == pytest.approx(front_end.floor)
    torch = pytest.importorskip("torch")
    from spectronorm.augment import RandomCrop
    from spectronorm.nn import ClipDataset, Preprocess

    for options in ({"duration": 1.0}, {"crop": RandomCrop(8000)}):
        item = ClipDataset(tmp_path / "in", front_end, **options)[1]
        assert item.length == front_end.min_samples
        assert torch.isfinite(Preprocess(pipeline)(item.wave[None], item.length[None])).all()


def test_classes_are_those_of_the_whole_source(tmp_path: Path) -> None:
    """A fold that lacks a class does not move the others; `classes` says them; an unknown column is an error."""
    pytest.importorskip("torch")
    from spectronorm.nn import ClipDataset

    rows = [("a", "cat", 1), ("b", "dog", 1), ("c", "fish", 1), ("d", "dog", 2), ("e", "fish", 2)]
    clips(tmp_path, *(f"{name}.wav" for name, _, _ in rows))
    (tmp_path / "t.csv").write_text("path,label,fold\n" + "".join(f"{n}.wav,{label},{f}\n" for n, label, f in rows))
    source, front_end = open_source(tmp_path / "t.csv"), sn.FrontEnd(RATE)
    train, test = (ClipDataset(one, front_end) for one in (source.without(fold=2), source.select(fold=2)))
    assert train.classes == test.classes == ("cat", "dog", "fish")
    assert (train.labels[1], test.labels[0]) == (1, 1)
    assert ClipDataset(source, front_end, classes=["fish", "dog", "cat"]).labels == [2, 1, 0, 1, 0]
    with pytest.raises(ArgumentError, match="not among the classes"):
        ClipDataset(source, front_end, classes=["fish", "dog"])
    with pytest.raises(ArgumentError, match="no clip of this source has such a column"):
        ClipDataset(source, front_end, label="species")


@pytest.mark.parametrize(("name", "wanted"), [("whisper", -1.129), ("ast", 0.467)])
def test_published_pipelines_pad_as_their_origins_do(name: str, wanted: float) -> None:
    """Whisper's padding is the clip's own floor (transformers: -1.129 for this wave), AST's a level of zero."""
    torch = pytest.importorskip("torch")
    from spectronorm.nn import Preprocess

    pipeline = sn.published(name)
    wave = torch.zeros(1, 64_000)
    wave[0, :16_000] = torch.from_numpy(0.1 * np.random.default_rng(0).standard_normal(16_000).astype("f4"))
    result = Preprocess(pipeline)(wave, torch.tensor([16_000]))
    assert result[0, :, 150:].numpy() == pytest.approx(wanted, abs=2e-3)
    assert (Preprocess(pipeline, padding=7.0)(wave, torch.tensor([16_000]))[0, :, 150:] == 7).all()
    with pytest.raises(ArgumentError, match="padding"):
        Preprocess(pipeline, padding="loud")


def test_arrays_of_integers_as_floats_are_refused() -> None:
    """As files are: a factor of 32768 is 90 dB."""
    wave = 32767 * tone()[:, 0]
    with pytest.raises(ArgumentError, match="divide"):
        sn.FrontEnd(RATE)(wave)
    torch = pytest.importorskip("torch")
    from spectronorm.nn import Spectrogram

    with pytest.raises(ArgumentError, match="divide"):
        Spectrogram(sn.FrontEnd(RATE))(torch.from_numpy(wave))


@pytest.mark.parametrize("name", ["band", "robust-band"])
def test_dead_bands_are_bounded(name: str, tmp_path: Path) -> None:
    """Recordings at 8 kHz fitted at 16 kHz, then full-band noise: no cell is further than 25 scales away."""
    noise = np.random.default_rng(0)
    for i in range(4):
        soundfile.write(tmp_path / f"{i}.wav", 0.1 * noise.standard_normal(16_000), 8_000)
    front_end = sn.FrontEnd(RATE)
    fitted = sn.normalizer(name).fit(sn.fit(tmp_path, front_end))
    assert np.abs(fitted(front_end(0.1 * noise.standard_normal(RATE)))).max() < 25


def test_decibels_of_magnitudes_have_librosas_floor() -> None:
    """`amplitude_to_db` and `power_to_db` both end at -100 dB by default."""
    magnitudes = np.array([[1.0, 1e-3, 1e-7, 0.0]])
    assert Decibel()(magnitudes, 1.0).tolist() == [[0.0, -60.0, -100.0, -100.0]]
    assert Decibel()(magnitudes**2, 2.0).tolist() == [[0.0, -60.0, -100.0, -100.0]]
    assert Decibel().floor(1.0) == pytest.approx(-100.0)


def test_a_check_that_read_nothing_fails(tmp_path: Path) -> None:
    """A leak cannot be ruled out by files that cannot be read."""
    clips(tmp_path / "in", "a.wav")
    profile = sn.fit(tmp_path / "in", sn.FrontEnd(RATE))
    (tmp_path / "a.m4a").write_bytes(b"no audio")
    with pytest.raises(TooManyBad):
        sn.check(profile, tmp_path / "a.m4a", max_bad=1.0)


COMMANDS = {
    "fit": "fit {src} -o {out} --n-fft 256 --n-mels 16",
    "check": "check {profile} {src}",
    "apply": "apply {src} -p {profile} --normalize band -o {out}",
    "images": "images {src} -p {profile} -o {out}",
    "watch": "watch {src} --profile {profile} --once",
    "update": "update {profile} {src} -o {out} --force",
    "compare": "compare {src} -o {out} --arms none,global --folds 2 --seeds 1 --epochs 1 --batch-size 2 --n-fft 256",
    "gan score": "gan score {gan} --source {src} --hold-out label=b --seeds 1 --epochs 1 -n 10 --splits 1",
    "gan train": "gan train {src} -o {out} --steps 1 --every 1 --size 16 --width 2 --latent 2 --batch-size 2 "
    "--n-fft 256 --n-mels 16 --fix-length crop-or-pad",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_notes_the_files_that_it_does_not_read(name: str, tmp_path: Path) -> None:
    """One note says how many files of which suffix a folder holds that are no audio."""
    if name in ("compare", "gan train", "gan score"):
        pytest.importorskip("torch")
    for label in ("a", "b"):
        (tmp_path / "src" / label).mkdir(parents=True)
        for number in range(3):
            sound = tone(0.6, 16_000, seed=number)
            soundfile.write(tmp_path / "src" / label / f"{number}.wav", sound, 16_000, subtype="PCM_16")
    profile = tmp_path / "p.st"
    sn.fit(tmp_path / "src", sn.FrontEnd(16_000, stft=sn.STFT(n_fft=256), bands=sn.Mel(16))).save(profile)
    (tmp_path / "src" / "a" / "note.xyz").write_text("no audio")
    places = {"src": tmp_path / "src", "profile": profile, "out": tmp_path / "out", "gan": tmp_path / "gan"}
    if name == "gan score":
        run(COMMANDS["gan train"].format(**places | {"out": tmp_path / "gan"}).split())
    line = COMMANDS[name].format(**places)
    ended = run(line.split())
    assert not ended.complaint, ended.complaint
    assert ended.output.count("1 .xyz") == 1, ended.output
