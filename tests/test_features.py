"""Files of levels as a source: what a meter measures in a loop, the command line measures from files."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from numpy.typing import NDArray
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.features import open_features, read_level
from spectronorm.monitor import Monitor
from spectronorm.passes.apply import apply
from spectronorm.passes.fit import fit
from spectronorm.storage import container

LEVELS = sn.Levels(6, "dB", -120, 60, made_by="mine", frame_rate=100.0)
TWO = sn.Levels(3, "dB", -120, 60, channels=2)


def clips(count: int = 12, seed: int = 0) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(seed)
    return {
        f"{'ab'[i % 2]}/{i:02d}": rng.normal(-40, 12, (6, int(rng.integers(5, 30)))).astype(np.float32)
        for i in range(count)
    }


def packed(profile: sn.Profile) -> bytes:
    return container.pack(*profile.to_container())


def by_meter(some: dict[str, NDArray[Any]], levels: sn.Levels = LEVELS, **groups: Any) -> bytes:
    meter = sn.Meter(levels, "ft" if levels.channels == 1 else "cft")
    for clip in some.values():
        meter.add(clip, groups=groups)
    return packed(meter.profile())


def write_npy(folder: Path, some: dict[str, NDArray[Any]], **save: Any) -> Path:
    for name, clip in some.items():
        path = folder / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, clip, **save)
    return folder


def run(*args: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return result.output


def test_every_kind_of_file_gives_the_profile_of_a_meter(tmp_path: Path) -> None:
    """Folders of .npy, .npz, .safetensors, zip and tables hold one and the same measurement."""
    some = clips()
    write_npy(tmp_path / "npy", some)
    np.savez(tmp_path / "all.npz", **some)
    np.savez_compressed(tmp_path / "small.npz", **some)
    safetensors.numpy.save_file(some, tmp_path / "all.safetensors")
    (tmp_path / "shards").mkdir()
    half = dict(list(some.items())[:5]), dict(list(some.items())[5:])
    for number, part in enumerate(half):
        safetensors.numpy.save_file(part, tmp_path / "shards" / f"{number}.safetensors")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name, clip in some.items():
            file = io.BytesIO()
            np.save(file, clip)
            archive.writestr(f"{name}.npy", file.getvalue())
    rows = ["path,label", *(f"npy/{name}.npy,x" for name in some)]
    (tmp_path / "table.csv").write_text("\n".join(rows))
    inside = [*(f"all.safetensors/{name}" for name in list(some)[:6]), *(f"all.npz/{name}" for name in list(some)[6:])]
    rows = ["path,fold", *(f"{name},x" for name in inside)]
    (tmp_path / "inside.csv").write_text("\n".join(rows))
    whole = by_meter(some)
    sources = ("npy", "all.npz", "small.npz", "all.safetensors", "shards", "all.zip", "table.csv")
    assert {name for name in sources if packed(fit(tmp_path / name, LEVELS)) != whole} == set()
    assert packed(fit(tmp_path / "inside.csv", LEVELS)) == by_meter(some, fold="x")


def test_hdf5_gives_the_profile_of_a_meter(tmp_path: Path) -> None:
    """Each data set of an HDF5 file is a clip."""
    h5py = pytest.importorskip("h5py")
    some = clips()
    with h5py.File(tmp_path / "all.h5", "w") as file:
        for name, clip in some.items():
            file.create_dataset(name, data=clip, compression="gzip")
    assert packed(fit(tmp_path / "all.h5", LEVELS, output=tmp_path / "p.safetensors")) == by_meter(some)
    (tmp_path / "bad.h5").write_bytes(b"no")
    with pytest.raises(sn.errors.SourceError, match="HDF5"):
        open_features(tmp_path / "bad.h5")


@pytest.mark.parametrize("layout", ["ft", "tf"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4"])
def test_layout_and_type_change_nothing_but_the_numbers(tmp_path: Path, layout: str, dtype: str) -> None:
    """Files in any floating-point type, byte order, memory order and declared layout hold the levels they hold."""
    some = {name: clip.astype(dtype) for name, clip in clips().items()}
    turned = {name: clip if layout == "ft" else np.asfortranarray(clip.T) for name, clip in some.items()}
    write_npy(tmp_path, turned)
    levels = sn.Levels(6, "dB", -120, 60, made_by="mine", frame_rate=100.0, layout=layout)
    whole = by_meter({name: clip.astype(np.float64) for name, clip in some.items()})
    assert packed(fit(tmp_path, levels)) == whole


def test_channels_of_files_are_rows_of_the_profile(tmp_path: Path) -> None:
    """Files with a channel axis are measured as a meter measures them."""
    some = {name: clip.reshape(2, 3, -1) for name, clip in clips().items()}
    write_npy(tmp_path, some)
    assert packed(fit(tmp_path, TWO)) == by_meter(some, TWO)


@pytest.mark.parametrize("suffix", ["npy", "safetensors"])
def test_the_command_line_does_the_whole_job(tmp_path: Path, suffix: str) -> None:
    """Fit, show, check, apply and watch work on files of levels; what apply writes is what fit --levels reads."""
    some, folder = clips(60), tmp_path / "features"
    write_npy(folder, some)
    if suffix == "safetensors":
        safetensors.numpy.save_file(some, tmp_path / "f.safetensors")
        folder = tmp_path / "f.safetensors"
    (tmp_path / "levels.json").write_text(LEVELS.to_json())
    profile = tmp_path / "p.safetensors"
    run("fit", folder, "--levels", tmp_path / "levels.json", "-o", profile)
    assert packed(replace(sn.Profile.load(profile), commands=())) == by_meter(some)
    assert "made by 'mine'" in run("show", profile)
    assert json.loads(run("show", profile, "--json"))["seconds"] == pytest.approx(sn.Profile.load(profile).frames / 100)
    assert "60 of 60 held-out clips" in run("check", profile, folder, code=1)
    out = tmp_path / "out"
    run("apply", folder, "--profile", profile, "--normalize", "band", "-o", out)
    run("fit", out, "--levels", out / "levels.json", "-o", tmp_path / "again.safetensors")
    again = sn.Profile.load(tmp_path / "again.safetensors")
    assert np.abs(again.band.mean).max() < 1e-5
    assert np.abs(again.band.std - 1).max() < 1e-5
    if suffix == "npy":
        pipeline = sn.Pipeline.load(out / "pipeline.safetensors")
        assert np.array_equal(np.load(out / "a/00.npy"), pipeline.normalizer(some["a/00"].astype(float)).astype("f4"))
    assert "no alarm" in run("watch", folder, "--profile", profile, "--training", folder, "--once")
    moved = write_npy(tmp_path / "moved", {name: clip + 20 for name, clip in some.items()})
    run("watch", moved, "--profile", profile, "--training", folder, "--once", code=3)
    refused = run("images", folder, "--profile", profile, "-o", tmp_path / "png", code=2)
    assert "made elsewhere by 'mine'" in refused


def test_apply_pads_and_fit_never_counts_the_padding(tmp_path: Path) -> None:
    """With a duration all outputs have one length, and the index says which frames are real."""
    write_npy(tmp_path / "in", clips())
    profile = fit(tmp_path / "in", LEVELS)
    pipeline = sn.Pipeline(LEVELS, sn.Standardize().fit(profile))
    apply(tmp_path / "in", pipeline, tmp_path / "out", duration=0.2)
    assert {np.load(path).shape for path in (tmp_path / "out").rglob("*.npy")} == {(6, 20)}
    again = fit(tmp_path / "out", sn.Levels.load(tmp_path / "out" / "levels.json"))
    assert again.frames == sum(min(20, clip.shape[1]) for clip in clips().values())


def test_a_monitor_takes_levels() -> None:
    """A monitor of foreign levels takes them, and refuses samples in one sentence."""
    meter = sn.Meter(LEVELS, "ft")
    for clip in clips(80).values():
        meter.add(clip)
    monitor = Monitor(meter.profile())
    for clip in clips(40, seed=1).values():
        verdict = monitor.add_level(clip)
    assert not verdict.alarm
    for clip in clips(40, seed=2).values():
        verdict = monitor.add_level(clip - 20)
    assert verdict.alarm
    assert monitor.report().verdict.alarm
    with pytest.raises(sn.errors.ArgumentError, match="made elsewhere"):
        monitor.add(np.zeros(100, np.float32))
    with pytest.raises(sn.errors.ShapeError):
        monitor.add_level(clip[:5])


def _bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": (6, 1 << 27)})
        archive.writestr("x.npy", head.getvalue() + bytes(1 << 24))


def _saved(array: NDArray[Any]) -> bytes:
    data = io.BytesIO()
    np.save(data, array)
    return data.getvalue()


BAD = {
    "objects": (lambda p: np.save(p, np.full((6, 4), None), allow_pickle=True), "unreadable", "pickled"),
    "integers": (lambda p: np.save(p, np.zeros((6, 4), np.int16)), "unreadable", "int16"),
    "bands": (lambda p: np.save(p, np.zeros((7, 4), np.float32)), "shape", "7 bands instead of 6"),
    "turned": (lambda p: np.save(p, np.zeros((40, 6), np.float32)), "shape", "is the layout another one"),
    "axes": (lambda p: np.save(p, np.zeros((1, 6, 4), np.float32)), "shape", "is not layout='ft'"),
    "nan": (lambda p: np.save(p, np.full((6, 4), np.nan)), "not-finite", "24 of its 24"),
    "range": (lambda p: np.save(p, np.full((6, 4), -121.0)), "out-of-range", "-121 dB"),
    "no frames": (lambda p: np.save(p, np.zeros((6, 0), np.float32)), "empty", "no frames"),
    "no npy": (lambda p: p.write_bytes(b"RIFF" + bytes(40)), "unreadable", "not a .npy"),
    "empty": (lambda p: p.write_bytes(b""), "empty", "0 bytes"),
    "cut": (
        lambda p: (np.save(p, np.zeros((6, 99), np.float32)), p.write_bytes(p.read_bytes()[:-9])),
        "truncated",
        "ends",
    ),
    "huge": (
        lambda p: p.write_bytes(
            b"\x93NUMPY\x01\x00v\x00"
            + b"{'descr': '<f4', 'fortran_order': False, 'shape': (6, 99999999999999999999), }".ljust(118)
        ),
        "shape",
        "claims the shape",
    ),
    "huge and empty": (
        lambda p: p.write_bytes(
            b"\x93NUMPY\x01\x00v\x00"
            + b"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 99999999999999999999), }".ljust(118)
        ),
        "shape",
        "claims the shape",
    ),
    "two arrays": (
        lambda p: p.write_bytes(2 * _saved(np.zeros((6, 4), np.float32))),
        "header-lies",
        "one array in each file",
    ),
    "a hundred axes": (
        lambda p: p.write_bytes(
            b"\x93NUMPY\x01\x00\xc6\x01"
            + f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({'1, ' * 100}), }}".encode().ljust(454)
            + bytes(4)
        ),
        "shape",
        "100 axes",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_counted_with_its_reason(tmp_path: Path, what: str) -> None:
    """A file that holds no such level is left out with a reason, and the others are measured."""
    make, reason, detail = BAD[what]
    some = write_npy(tmp_path, clips())
    make(some / "a" / "zz.npy")
    profile = fit(some, LEVELS, max_bad=0.2)
    assert [(bad.path, bad.reason.value) for bad in profile.bad] == [("a/zz.npy", reason)]
    assert detail in profile.bad[0].detail
    whole = by_meter(clips())
    assert profile.clips == 12
    assert profile.groups[()] == sn.Profile.from_container(*container.unpack(whole, "x"), Path("x")).groups[()]


def test_bombs_and_lies_are_refused_without_being_unpacked(tmp_path: Path) -> None:
    """An archive that claims more than it holds, and tensors outside their file, are bad files."""
    _bomb(tmp_path / "bomb.npz")
    safetensors.numpy.save_file({"x": np.zeros((6, 4), np.float32)}, tmp_path / "t.safetensors")
    data = (tmp_path / "t.safetensors").read_bytes()
    (tmp_path / "t.safetensors").write_bytes(data.replace(b"[6,4]", b"[6,9]"))
    for name in ("bomb.npz", "t.safetensors"):
        (clip,) = open_features(tmp_path / name)
        with pytest.raises(sn.errors.AudioError):
            read_level(clip, LEVELS)


def test_a_damaged_container_among_files_is_one_bad_file(tmp_path: Path) -> None:
    """Archives, tensors and data sets that cannot be opened do not end the pass over the others."""
    some = write_npy(tmp_path / "f", clips())
    names = ["x.npz", "x.safetensors", "x.tar", "x.h5"]
    for name in names:
        (some / "a" / name).write_bytes(b"no container" * 9)
    pytest.importorskip("h5py")
    profile = fit(some, LEVELS, max_bad=0.5)
    assert [bad.path for bad in profile.bad] == sorted(f"a/{name}" for name in names)
    assert profile.clips == 12


def test_other_files_of_a_folder_are_counted_and_told(tmp_path: Path) -> None:
    """Files that are no levels are not read, and said to be there; those that `apply` writes are expected."""
    folder = write_npy(tmp_path / "f", clips())
    (folder / "notes.txt").write_text("a note")
    (folder / "a" / "sound.wav").write_bytes(b"RIFF")
    (folder / "levels.json").write_text(LEVELS.to_json())
    assert open_features(folder).unread == {".txt": 1, ".wav": 1}
    told = run("fit", folder, "--levels", folder / "levels.json", "-o", tmp_path / "p.st")
    assert "2 files of the folder are not read" in told


def test_files_that_cannot_confirm_their_layout_are_told(tmp_path: Path) -> None:
    """Only if every file is square: one of another length confirms the layout for all."""
    square = {f"a/{i}": np.full((6, 6), -40.0, np.float32) for i in range(3)}
    folder = write_npy(tmp_path / "f", square)
    (tmp_path / "levels.json").write_text(LEVELS.to_json())
    with pytest.warns(sn.errors.LayoutWarning, match="every clip has 6 bands and 6 frames"):
        fit(folder, LEVELS, output=tmp_path / "p.safetensors")
    write_npy(folder, {"a/other": np.full((6, 7), -40.0, np.float32)})
    assert fit(folder, LEVELS).clips == 4


def test_levels_without_a_frame_rate_have_no_seconds(tmp_path: Path) -> None:
    """Lengths are told in frames alone, in the terminal, in the figure and on the page."""
    pytest.importorskip("matplotlib")
    levels = sn.Levels(6, "dB", -120, 60)
    fit(write_npy(tmp_path / "f", clips()), levels, output=tmp_path / "p.st")
    assert "nan" not in run("show", tmp_path / "p.st", "--plot", tmp_path / "p.png")
    assert (tmp_path / "p.png").is_file()
    from spectronorm.report.page import save_page  # noqa: PLC0415

    save_page(tmp_path / "p.html", "levels", sn.Profile.load(tmp_path / "p.st"), {}, [])
    assert "s of audio" not in (tmp_path / "p.html").read_text()


def test_what_is_no_source_is_said(tmp_path: Path) -> None:
    """Nothing there, nothing in it and tables without paths are one clear error each."""
    (tmp_path / "table.csv").write_text("file,label\na,b\n")
    (tmp_path / "rowless.csv").write_text("path,label\n")
    (tmp_path / "x.safetensors").write_bytes(b"12345678")
    (tmp_path / "empty").mkdir()
    for name, message in {
        "nowhere": "no such file",
        "empty": "no file of levels",
        "table.csv": "no column path",
        "rowless.csv": "no rows",
        "x.safetensors": "not an intact .safetensors",
    }.items():
        with pytest.raises(sn.errors.SourceError, match=message):
            open_features(tmp_path / name)
    write_npy(tmp_path / "ok", clips())
    with pytest.raises(sn.errors.ArgumentError, match="frame_rate"):
        fit(tmp_path / "ok", sn.Levels(6, "dB", -120, 60), duration=1.0)
    (tmp_path / "l.json").write_text(LEVELS.to_json())
    assert "leave out the options" in run(
        "fit", tmp_path / "ok", "--levels", tmp_path / "l.json", "--n-mels", 6, "-o", tmp_path / "p", code=2
    )
