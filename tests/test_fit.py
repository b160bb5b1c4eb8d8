"""The pass measures what is good, lists what is bad, and gives the same bytes however it runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from conftest import Write
from spectronorm.cli.fit import remarks
from spectronorm.errors import BadAudioReason
from spectronorm.passes.fit import fit

FRONT_END = sn.FrontEnd(bands=sn.Mel(16))


def test_workers_and_order_do_not_change_a_byte(noise_table: Path, tmp_path: Path) -> None:
    """Any number of workers and any order of the table write the same file."""
    lines = noise_table.read_text().splitlines()
    shuffled = noise_table.with_name("shuffled.csv")
    shuffled.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    for name, source, workers in [("a", noise_table, 1), ("b", noise_table, 4), ("c", shuffled, 2)]:
        sn.fit(source, FRONT_END, engine=sn.engines.ThreadEngine(workers)).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()


def test_groups_are_fold_and_split_unless_others_are_asked_for(noise_table: Path) -> None:
    """Any columns may form groups, and each can be left out exactly."""
    assert sn.fit(noise_table, FRONT_END).group_columns() == ["fold", "split"]
    by_label = sn.fit(noise_table, FRONT_END, group_by=["label"])
    assert sn.fit(noise_table, FRONT_END, group_by="label") == by_label  # one column needs no list
    direct = sn.fit(sn.open_source(noise_table).without(label="low"), FRONT_END, group_by=["label"])
    assert by_label.without(label="low") == direct
    with pytest.raises(sn.errors.ArgumentError, match="has the columns fold, label, split"):
        sn.fit(noise_table, FRONT_END, group_by=["speaker"])


def test_padding_is_never_counted(write: Write) -> None:
    """A duration longer than the clips changes nothing; a shorter one crops."""
    path = write("a/tone.wav", 0.5 * np.sin(np.arange(16_000))).parent
    whole = sn.fit(path, FRONT_END)
    assert sn.fit(path, FRONT_END, duration=9.0).total == whole.total
    assert sn.fit(path, FRONT_END, duration=0.5).total.samples == 8000


def test_a_sample_stands_for_the_whole(noise_table: Path) -> None:
    """A random share is measured, its population known, and the same seed measures the same."""
    sample = sn.fit(noise_table, FRONT_END, sample=sn.passes.Sample(0.5, seed=3), group_by=[])
    assert (sample.clips, sample.total.population) == (6, 12)
    assert sample == sn.fit(noise_table, FRONT_END, sample=sn.passes.Sample(0.5, seed=3), group_by=[])
    assert sample != sn.fit(noise_table, FRONT_END, sample=sn.passes.Sample(0.5, seed=4), group_by=[])
    with pytest.raises(sn.errors.ArgumentError, match="sample=0"):
        sn.fit(noise_table, FRONT_END, sample=sn.passes.Sample(0.0))


def test_progress_reaches_the_end(noise_table: Path) -> None:
    """Progress counts up to the number of clips."""
    seen: list[tuple[int, int]] = []
    sn.fit(noise_table, FRONT_END, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (12, 12)
    assert seen == sorted(seen)


def text(path: Path) -> None:
    path.write_text("not audio")


def zero_bytes(path: Path) -> None:
    path.touch()


def truncated(path: Path) -> None:
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    path.write_bytes(path.read_bytes()[:20_000])


def not_finite(path: Path) -> None:
    soundfile.write(path, np.full(16_000, np.nan), 16_000, subtype="FLOAT")


def one_sample(path: Path) -> None:
    soundfile.write(path, np.array([0.5]), 16_000)


BAD: dict[Callable[[Path], None], BadAudioReason] = {
    text: BadAudioReason.UNREADABLE,
    zero_bytes: BadAudioReason.EMPTY,
    truncated: BadAudioReason.TRUNCATED,
    not_finite: BadAudioReason.NOT_FINITE,
    one_sample: BadAudioReason.TOO_SHORT,
}


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_a_bad_file_is_listed_and_leaves_the_numbers_alone(make: Callable[[Path], None], noise_folder: Path) -> None:
    """A bad file is skipped with its reason; the integers are those without it."""
    clean = sn.fit(noise_folder, FRONT_END)
    make(noise_folder / "bad.wav")
    profile = sn.fit(noise_folder, FRONT_END, max_bad=0.1)
    assert [(bad.path, bad.reason) for bad in profile.bad] == [("bad.wav", BAD[make])]
    assert profile.total == clean.total
    with pytest.raises(sn.errors.TooManyBad, match=r"1 of 13 files is bad \(1 " + BAD[make].value):
        sn.fit(noise_folder, FRONT_END)


def test_a_missing_file_of_a_table_is_listed(noise_table: Path) -> None:
    """A table's missing file is a bad file, not a crash."""
    noise_table.write_text(noise_table.read_text() + "gone.wav,low,1,train\n")
    (bad,) = sn.fit(noise_table, FRONT_END, max_bad=0.1).bad
    assert (bad.path, bad.reason, dict(bad.group)["fold"]) == ("gone.wav", BadAudioReason.MISSING, "1")


def test_one_good_clip_is_needed(tmp_path: Path) -> None:
    """With nothing good the pass fails, whatever is allowed."""
    text(tmp_path / "a.wav")
    with pytest.raises(sn.errors.TooManyBad, match="at least one must be good"):
        sn.fit(tmp_path, FRONT_END, max_bad=1.0)


def test_a_silent_file_is_counted_and_said(noise_folder: Path) -> None:
    """Silence is measured at the floor, counted as flat, and no figure becomes NaN."""
    before = sn.fit(noise_folder, sn.preset("fastaudio"))
    soundfile.write(noise_folder / "silent.wav", np.zeros(16_000), 16_000)
    after = sn.fit(noise_folder, sn.preset("fastaudio"))
    assert after.total.flat == 1
    assert after.band.min.max() == -100.0
    assert (after.band.floor_share > before.band.floor_share).all()
    for figures in (after.band.mean, after.band.std, after.band.mean_se, after.band.std_se):
        assert np.isfinite(figures).all()


def test_a_stereo_24_bit_file_at_96_khz_is_measured(noise_folder: Path) -> None:
    """Any rate, depth and channel count joins the others."""
    samples = 0.1 * np.random.default_rng(0).standard_normal((96_000, 2))
    soundfile.write(noise_folder / "wide.wav", samples, 96_000, subtype="PCM_24")
    assert sn.fit(noise_folder, FRONT_END).clips == 13


def test_bands_that_are_mostly_floor_are_named(write: Write) -> None:
    """8 kHz audio at 16 kHz leaves the upper bands on the floor, and the profile says which."""
    write("a/low.wav", 0.5 * np.sin(2 * np.pi * 500 * np.arange(16_000) / 8000), 8000)
    profile = sn.fit(write("a/low2.wav", np.zeros(8000), 8000).parent, sn.preset("fastaudio"))
    assert 200 in profile.mostly_floor(0.3)


@pytest.mark.parametrize("max_bad", [-0.1, 1.5, float("nan")])
def test_max_bad_is_a_share(max_bad: float, noise_folder: Path) -> None:
    """A limit that is no share is refused."""
    with pytest.raises(sn.errors.ArgumentError, match="max_bad"):
        fit(noise_folder, FRONT_END, max_bad=max_bad)


class TestApply:
    """Applying writes every clip, in the source's structure."""

    def test_it_writes_what_the_pipeline_computes(self, noise_folder: Path, tmp_path: Path) -> None:
        """Each output is the pipeline's result, beside an index and the pipeline itself."""
        profile = sn.fit(noise_folder, FRONT_END)
        pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(profile))
        applied = sn.apply(noise_folder, pipeline, tmp_path / "out")
        assert applied.written == 12
        for clip in sn.open_source(noise_folder):
            x = np.load((tmp_path / "out" / clip.name).with_suffix(".npy"))
            assert x.dtype == np.float32
            np.testing.assert_allclose(x, pipeline(sn.read(clip.path, 16_000)), atol=1e-5)
        assert sn.Pipeline.load(tmp_path / "out" / "pipeline.safetensors") == pipeline
        index = (tmp_path / "out" / "index.csv").read_text().splitlines()
        assert index[0] == "path,label,frames"
        assert index[1].startswith("high/01.npy,high,")

    def test_a_duration_gives_one_shape_padded_with_zero(self, noise_folder: Path, tmp_path: Path) -> None:
        """Padding is zero after normalization, and the features before it are those of the unpadded clip."""
        pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(sn.fit(noise_folder, FRONT_END)))
        sn.apply(noise_folder, pipeline, tmp_path / "one", duration=0.5)
        sn.apply(noise_folder, pipeline, tmp_path / "free")
        shapes = set()
        for path in sorted((tmp_path / "one").rglob("*.npy")):
            fixed, free = np.load(path), np.load(tmp_path / "free" / path.relative_to(tmp_path / "one"))
            shapes.add(fixed.shape)
            frames = min(free.shape[1], FRONT_END.frames(4000))
            assert not fixed[:, free.shape[1] :].any()
            np.testing.assert_array_equal(fixed[:, : frames - 2], free[:, : frames - 2])
        assert shapes == {(16, 41)}

    def test_bad_files_are_listed_and_nothing_of_them_is_written(self, noise_folder: Path, tmp_path: Path) -> None:
        """A bad clip leaves no output, not even a temporary one."""
        pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(sn.fit(noise_folder, FRONT_END)))
        text(noise_folder / "bad.wav")
        applied = sn.apply(noise_folder, pipeline, tmp_path / "out", max_bad=0.1)
        assert [bad.path for bad in applied.bad] == ["bad.wav"]
        assert len([p for p in (tmp_path / "out").rglob("*") if p.is_file()]) == 12 + 3
        with pytest.raises(sn.errors.TooManyBad):
            sn.apply(noise_folder, pipeline, tmp_path / "again")

    def test_equal_stems_do_not_overwrite_each_other(self, noise_folder: Path, tmp_path: Path) -> None:
        """`a.wav` and `a.flac` side by side both have an output."""
        samples, rate = soundfile.read(noise_folder / "low" / "00.wav")
        soundfile.write(noise_folder / "low" / "00.flac", samples, rate)
        pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(sn.fit(noise_folder, FRONT_END)))
        assert sn.apply(noise_folder, pipeline, tmp_path / "out").written == 13
        assert (tmp_path / "out" / "low" / "00.flac.npy").is_file()
        assert (tmp_path / "out" / "low" / "00.wav.npy").is_file()

    def test_one_file_listed_twice_is_refused(self, noise_table: Path, tmp_path: Path) -> None:
        """Two rows for one file would write one output twice."""
        noise_table.write_text(noise_table.read_text() + "low/00.wav,low,1,train\n")
        pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(sn.fit(noise_table, FRONT_END)))
        with pytest.raises(sn.errors.ArgumentError, match="list each file once"):
            sn.apply(noise_table, pipeline, tmp_path / "out")

    def test_an_output_that_is_a_file_is_refused(self, noise_folder: Path, tmp_path: Path) -> None:
        """The output must be a folder."""
        pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(sn.fit(noise_folder, FRONT_END)))
        (tmp_path / "out").write_text("mine")
        with pytest.raises(sn.errors.ArgumentError, match="need a folder"):
            sn.apply(noise_folder, pipeline, tmp_path / "out")
        shutil.rmtree(noise_folder)


@pytest.mark.parametrize(("rate", "said"), [(8_000, True), (16_000, False), (44_100, False)])
def test_clips_below_the_front_ends_rate_are_noted(rate: int, said: bool) -> None:
    """Clips that are all at a lower rate leave bands empty, and the note names the rate to measure at."""
    wave = np.random.default_rng(0).standard_normal(rate) / 8
    found = [remark for remark in remarks(sn.fit([(wave, rate)], sn.FrontEnd(16_000))) if "--sample-rate" in remark]
    assert [f"--sample-rate {rate}" in remark for remark in found] == ([True] if said else [])
