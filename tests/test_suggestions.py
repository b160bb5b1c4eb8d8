"""A name that is nearly right is answered by the right one, and a value of the wrong kind by its remedy."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.errors import AudioError, BadAudioReason, GapWarning, ScaleWarning
from spectronorm.suggestion import did_you_mean, takes_settings

FRONT_END = sn.FrontEnd(sample_rate=8000, bands=sn.Mel(20))
FITTED = sn.Fixed(-40.0, 20.0).for_front_end(FRONT_END)
PIPELINE = sn.Pipeline(FRONT_END, FITTED)
WAVE = 0.1 * np.random.default_rng(0).standard_normal(8000)


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda: sn.FrontEnd(sr=8000), "sample_rate"),  # type: ignore[call-arg]
        (lambda: sn.Mel(nmels=64), "n_mels"),  # type: ignore[call-arg]
        (lambda: sn.Mel(fmax=4000), "f_max"),  # type: ignore[call-arg]
        (lambda: sn.STFT(nfft=512), "n_fft"),  # type: ignore[call-arg]
        (lambda: sn.STFT(hop=160), "hop_length"),  # type: ignore[call-arg]
        (lambda: sn.Decibel(floor=-80), "floor_db"),  # type: ignore[call-arg]
        (lambda: sn.Standardize(pr="band"), "per"),  # type: ignore[call-arg]
        (lambda: sn.fit("x", FRONT_END, maxbad=0.1), "max_bad"),  # type: ignore[call-arg]
        (lambda: sn.read("x", samplerate=8000), "sample_rate"),  # type: ignore[call-arg]
        (lambda: sn.invert(WAVE, FRONT_END, qualty="best"), "quality"),  # type: ignore[call-arg]
        (lambda: sn.Levels(3, "dB", -100, 10, framerate=5), "frame_rate"),  # type: ignore[call-arg]
        (lambda: sn.monitor.Window(clip=16), "clips"),  # type: ignore[call-arg]
        (lambda: sn.sounds.InversionOptions(qualty="best"), "quality"),  # type: ignore[call-arg]
        (lambda: sn.passes.Store(dtyp="float16"), "dtype"),  # type: ignore[call-arg]
        (lambda: PIPELINE.save("x", overwrit=True), "overwrite"),  # type: ignore[call-arg]
        (lambda: PIPELINE(WAVE, samplerate=8000), "sample_rate"),  # type: ignore[call-arg]
        (lambda: sn.Meter(FRONT_END).add(WAVE, lenghts=[1]), "lengths"),  # type: ignore[call-arg]
    ],
)
def test_a_keyword_is_suggested(call: Callable[[], object], meant: str) -> None:
    """An unknown keyword argument is a TypeError that names the argument that was meant."""
    with pytest.raises(TypeError, match=f"did you mean '{meant}'"):
        call()


def test_every_public_class_and_function_suggests_keywords() -> None:
    """No public constructor, method or function with settings answers a misspelt keyword by Python's message alone."""
    spaces = [sn, *(one for name in dir(sn) if inspect.ismodule(one := getattr(sn, name)))]
    named = {getattr(space, name) for space in spaces for name in getattr(space, "__all__", ())}
    silent = []
    for one in named:
        if inspect.isfunction(one):
            taken = one.__code__.co_argcount + one.__code__.co_kwonlyargcount
            if taken > 1 and not one.__code__.co_flags & inspect.CO_VARKEYWORDS and not _suggests(one):
                silent.append(one.__qualname__)
        elif inspect.isclass(one) and not issubclass(one, BaseException | Enum) and not inspect.isabstract(one):
            own = {name: getattr(member, "__func__", member) for name, member in vars(one).items()}
            own = {name: f for name, f in own.items() if name == "__init__" or takes_settings(one, name, f)}
            silent += [f"{one.__name__}.{name}" for name, function in own.items() if not _suggests(function)]
    assert len(named) > 200
    assert silent == []


def _suggests(function: Any) -> bool:
    takes_any = not hasattr(function, "__code__") or function.__code__.co_flags & inspect.CO_VARKEYWORDS
    return hasattr(function, "_checks_keywords") or bool(takes_any)


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda: sn.preset("whispr"), "whisper"),
        (lambda: sn.normalizer("bnad"), "band"),
        (lambda: sn.normalizer("minmax:lo=3"), "low"),
        (lambda: sn.Standardize(per="bands"), "band"),
        (lambda: sn.FrontEnd(resampler="soxr-hq"), "soxr_hq"),
        (lambda: sn.datasets.find_dataset("esc-50"), "esc50"),
        (lambda: sn.FrontEnd.from_dict({"bands": "mell"}), "mel"),
        (lambda: sn.Standardise, "Standardize"),
    ],
)
def test_a_name_is_suggested(call: Callable[[], object], meant: str) -> None:
    """A name that is nearly a preset, normalizer, setting, data set, kind or public name is answered by it."""
    with pytest.raises((sn.SpectronormError, AttributeError), match=f"did you mean '{meant}'"):
        call()


def test_groups_and_columns_are_suggested(tmp_path: Path) -> None:
    """A misspelt column is answered by the column, in a fit, in a hold-out and on the command line."""
    for index in range(4):
        soundfile.write(tmp_path / f"{index}.wav", WAVE, 8000)
    rows = "".join(f"{index}.wav,s{index % 2}\n" for index in range(4))
    table = tmp_path / "t.csv"
    table.write_text(f"path,speaker\n{rows}")
    with pytest.raises(sn.SpectronormError, match="did you mean 'speaker'"):
        sn.fit(table, FRONT_END, group_by="speeker")
    profile = sn.fit(table, FRONT_END, group_by="speaker")
    with pytest.raises(sn.SpectronormError, match="did you mean 'speaker'"):
        profile.without(speakr="s0")
    told = CliRunner().invoke(app, ["fit", str(table), "-o", str(tmp_path / "p.safetensors"), "--max-bad", "5"])
    assert "did you mean 5%?" in told.output
    told = CliRunner().invoke(app, ["fit", str(table), "-o", str(tmp_path / "p.safetensors"), "--n-mel", "5"])
    assert "--n-mels" in told.output


@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=8))
def test_a_suggestion_is_a_known_name_or_nothing(given_name: str, known: list[str]) -> None:
    """Whatever was given, only names that exist are suggested."""
    hint = did_you_mean(given_name, known)
    assert hint == "" or any(repr(name) in hint for name in known)


@pytest.mark.parametrize(
    ("wave", "remedy"),
    [
        ("a.wav", r"spectronorm\.read\('a\.wav'"),
        (Path("a.wav"), "read it first"),
        ((WAVE, 8000), "without the sample rate"),
        (np.stack([WAVE, WAVE], 1), r"\(sample, channel\).*wave\.T"),
        (list(WAVE[:5]), "asarray"),
    ],
)
def test_a_wave_of_another_kind_is_answered_by_its_remedy(wave: Any, remedy: str) -> None:
    """Paths, pairs, (sample, channel) order and lists are told from waves, by front ends and pipelines."""
    for called in (FRONT_END, PIPELINE):
        with pytest.raises(sn.errors.ShapeError, match=remedy):
            called(wave)


def test_another_sample_rate_is_refused() -> None:
    """A pipeline that is told the wave's rate refuses another one, and takes its own."""
    np.testing.assert_array_equal(PIPELINE(WAVE, sample_rate=8000), PIPELINE(WAVE))
    for called in (FRONT_END, PIPELINE):
        with pytest.raises(sn.errors.ArgumentError, match="8000 Hz"):
            called(WAVE, sample_rate=44_100)


def test_integers_as_floats_are_told_from_standardized_waves() -> None:
    """A click in silence of deviation 1 peaks far above full scale and is taken; scaled integers are refused."""
    click = 1e-6 * np.random.default_rng(0).standard_normal(8000)
    click[100] = 0.5
    standardized = (click - click.mean()) / click.std()
    assert np.abs(standardized).max() > 50
    assert np.isfinite(FRONT_END(standardized)).all()
    for integers in (np.round(327 * WAVE), 32768 * WAVE, np.round(click * 32768)):
        with pytest.raises(sn.errors.ArgumentError, match="divide samples"):
            FRONT_END(integers)


def test_settings_that_are_not_fitted_say_so() -> None:
    """A normalizer that is called or inverted before it is fitted names the missing step."""
    for call in (sn.Standardize(), sn.Standardize().inverse):
        with pytest.raises(sn.errors.ArgumentError, match=r"fit\(profile\)"):
            call(WAVE)


def test_a_forgotten_inverse_is_noticed() -> None:
    """Inverting a normalized level warns; inverting the level does not."""
    level = FRONT_END(WAVE)
    normalized = (level - level.mean()) / level.std()
    with pytest.warns(ScaleWarning, match="pipeline.inverse"):
        sn.invert(normalized, FRONT_END, quality="fast")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sn.invert(level, FRONT_END, quality="fast")


def test_an_error_of_a_file_names_it(tmp_path: Path) -> None:
    """What `read` raises begins with the path, survives pickling, and keeps reason and detail apart."""
    (tmp_path / "text.wav").write_text("text")
    for name, reason in (("nope.wav", BadAudioReason.MISSING), ("text.wav", BadAudioReason.UNREADABLE)):
        for channels in ("mean", "stack"):
            with pytest.raises(AudioError) as caught:
                sn.read(tmp_path / name, 8000, channels=channels)
            assert str(caught.value).startswith(f"{tmp_path / name}: {reason.value}: ")
            again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
            assert (again.reason, again.detail, str(again)) == (reason, caught.value.detail, str(caught.value))
            assert str(tmp_path) not in again.detail
    gone = sn.audio.ClipReference("a.npy", tmp_path / "a.npy")
    with pytest.raises(AudioError, match=r"a\.npy: missing: "):
        sn.features.read_level(gone, sn.Levels(3, "dB", -100, 10))


def test_modules_name_the_type_that_they_need() -> None:
    """A path, a profile or a pipeline in the wrong place is answered by the step that was left out."""
    nn = pytest.importorskip("spectronorm.nn")
    with pytest.raises(sn.errors.ArgumentError, match="load it first"):
        nn.Preprocess("p.safetensors")
    with pytest.raises(sn.errors.ArgumentError, match=r"pipeline\.normalizer"):
        nn.Normalize(PIPELINE)
    with pytest.raises(TypeError, match="did you mean 'trainable'"):
        nn.Preprocess(PIPELINE, trainble=True)
    gone = sn.audio.Source.of([sn.audio.ClipReference("a.wav", "gone/a.wav")])
    with pytest.raises(sn.errors.SourceError, match=r"^a\.wav: missing: "):
        _ = nn.ClipDataset(gone, FRONT_END)[0]


def test_gaps_between_frames_are_told(tmp_path: Path) -> None:
    """A hop longer than the window works, and a warning says how many samples are in no frame, also on the console."""
    with pytest.warns(GapWarning, match="leaves 144 samples out between frames of 256 samples"):
        stft = sn.STFT(256, hop_length=400)
    assert stft.gap == 144
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sn.STFT(256, hop_length=256).gap == 0
    soundfile.write(tmp_path / "a.wav", WAVE, 8000)
    words = ["fit", str(tmp_path), "-o", str(tmp_path / "p.safetensors"), "--n-fft", "256", "--hop-length", "400"]
    done = subprocess.run([sys.executable, "-m", "spectronorm", *words], capture_output=True, text=True, check=True)
    assert done.stderr.count("note: hop_length=400 leaves 144 samples out") == 1


def test_one_note_names_each_band_that_no_bin_reaches(tmp_path: Path) -> None:
    """Bands without an FFT bin are listed once, shortly, and not again as bands on the floor."""
    soundfile.write(tmp_path / "a.wav", WAVE, 8000)
    words = ["fit", str(tmp_path), "-o", str(tmp_path / "p.safetensors"), "--sample-rate", "8000", "--n-fft", "256"]
    told = CliRunner().invoke(app, [*words, "--n-mels", "400"]).output
    assert told.count("bands without an FFT bin: 164 of 400, 0-3, 6-8") == 1
    assert "…" in told
    assert "mostly floor" not in told
    assert max(map(len, told.splitlines())) < 200


def test_files_after_the_source_are_answered_by_a_pattern(tmp_path: Path) -> None:
    """A pattern that the shell has taken apart is answered by the pattern in quotes; other extra words are not."""
    for name in "ab":
        soundfile.write(tmp_path / f"{name}.wav", WAVE, 8000)
    told = CliRunner().invoke(app, ["fit", str(tmp_path / "a.wav"), str(tmp_path / "b.wav"), "-o", "x.safetensors"])
    assert "in quotes" in " ".join(told.output.split())
    told = CliRunner().invoke(app, ["fit", str(tmp_path / "a.wav"), "nothing", "-o", "x.safetensors"])
    assert "in quotes" not in told.output


def test_images_say_what_codec_they_need() -> None:
    """A profile in place of a codec is answered by the codec of that profile."""
    with pytest.raises(sn.SpectronormError, match=r"ImageCodec\(profile\.front_end"):
        sn.images.export([(WAVE, 8000)], FITTED, "nowhere")  # type: ignore[arg-type]
