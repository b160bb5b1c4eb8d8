"""Stores of spectrograms: written whole, alike for every engine, and read by the libraries of their names."""

from __future__ import annotations

import hashlib
import io
import json
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import soundfile
from numpy.typing import NDArray
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.audio import long_clip
from spectronorm.cli.app import app
from spectronorm.passes.apply import apply
from spectronorm.passes.fit import fit
from spectronorm.passes.stores import Store
from spectronorm.profile.counting import in_blocks

torch = pytest.importorskip("torch")
from safetensors.torch import load_file  # noqa: E402

FORMATS = ("npy", "safetensors", "webdataset", "parquet")
SUFFIX = {"safetensors": "safetensors", "webdataset": "tar", "parquet": "parquet"}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> sn.Pipeline:
    front_end = sn.FrontEnd(16_000, bands=sn.Mel(12))
    rng = np.random.default_rng(0)
    meter = sn.Meter(front_end, "ft")
    for _ in range(5):
        meter.add(front_end.clip_level(0.1 * rng.standard_normal(8_000).astype(np.float32)))
    return sn.Pipeline(front_end, sn.Standardize().fit(meter.profile()))


def arrays(folder: Path, to: str) -> dict[str, NDArray[Any]]:
    """Every array of a store by the name of its clip, read by the library of that name."""
    if to == "npy":
        return {path.relative_to(folder).with_suffix("").as_posix(): np.load(path) for path in folder.rglob("*.npy")}
    found: dict[str, NDArray[Any]] = {}
    for shard in sorted(folder.glob(f"shard-*.{SUFFIX[to]}")):
        if to == "safetensors":
            found |= safetensors.numpy.load_file(shard)
        elif to == "webdataset":
            with tarfile.open(shard) as archive:
                for member in archive:
                    data = archive.extractfile(member).read()  # type: ignore[union-attr]
                    key, _, suffix = member.name.rpartition(".")
                    if suffix == "npy":
                        found[key] = np.load(io.BytesIO(data))
                    else:
                        assert 1 <= json.loads(data)["frames"] <= max(found[key].shape)
        else:
            pandas = pytest.importorskip("pandas")
            for row in pandas.read_parquet(shard).itertuples():
                found[row.clip] = np.stack(list(row.level))
    return found


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("to", FORMATS)
def test_every_store_holds_the_same_arrays(noise_folder: Path, pipeline: sn.Pipeline, tmp_path: Path, to: str) -> None:
    """Whatever the format, the arrays are those of a file each, and `fit --levels` measures them alike."""
    apply(noise_folder, pipeline, tmp_path / "npy", duration=0.5)
    done = apply(noise_folder, pipeline, tmp_path / to, duration=0.5, store=Store(to, shard_clips=5))
    assert done.written == 12
    wanted, found = arrays(tmp_path / "npy", "npy"), arrays(tmp_path / to, to)
    assert wanted.keys() == found.keys()
    assert all(np.array_equal(wanted[name], found[name]) for name in wanted)
    levels = sn.Levels.load(tmp_path / to / "levels.json")
    profile = fit(tmp_path / to, levels, group_by="label")
    assert profile == fit(tmp_path / "npy", levels, group_by="label")
    assert {dict(key)["label"] for key in profile.groups} == {"high", "low"}


def test_the_webdataset_package_reads_shards(noise_folder: Path, pipeline: sn.Pipeline, tmp_path: Path) -> None:
    """The package of that name finds a key, an array and its columns for each clip."""
    pytest.importorskip("webdataset")
    apply(noise_folder, pipeline, tmp_path / "w", store=Store("webdataset"))
    program = """
import io, json, sys, numpy, webdataset
for s in webdataset.WebDataset(sys.argv[1], shardshuffle=False):
    print(s["__key__"], numpy.load(io.BytesIO(s["npy"])).shape[0], json.loads(s["json"])["label"])
"""
    command = [sys.executable, "-W", "ignore", "-c", program, str(tmp_path / "w" / "shard-00000.tar")]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert sorted(lines) == sorted(f"{name} 12 {name.split('/')[0]}" for name in arrays(tmp_path / "w", "webdataset"))


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("layout", ["ft", "tf"])
def test_types_and_axes_are_chosen(
    noise_folder: Path, pipeline: sn.Pipeline, tmp_path: Path, to: str, layout: str
) -> None:
    """Half precision and the order of axes are as asked, and the description says the order."""
    apply(noise_folder, pipeline, tmp_path / "wanted")
    apply(noise_folder, pipeline, tmp_path / to, store=Store(to, "float16", layout))
    wanted, found = arrays(tmp_path / "wanted", "npy"), arrays(tmp_path / to, to)
    for name, x in wanted.items():
        half = x.astype(np.float16)
        assert np.array_equal(found[name], half if layout == "ft" else half.T)
        assert found[name].dtype == np.float16
    levels = sn.Levels.load(tmp_path / to / "levels.json")
    assert levels.layout == layout
    meter = sn.Meter(levels, layout)
    for x in found.values():
        meter.add(x)
    assert fit(tmp_path / to, levels).total == meter.profile().total


def test_bfloat16_is_torchs(noise_folder: Path, pipeline: sn.Pipeline, tmp_path: Path) -> None:
    """Levels in bfloat16 are rounded as torch rounds them, and measured again."""
    apply(noise_folder, pipeline, tmp_path / "npy")
    apply(noise_folder, pipeline, tmp_path / "b", store=Store("safetensors", "bfloat16"))
    found = load_file(tmp_path / "b" / "shard-00000.safetensors")
    for name, x in arrays(tmp_path / "npy", "npy").items():
        assert torch.equal(found[name], torch.from_numpy(x).bfloat16())
    assert fit(tmp_path / "b", sn.Levels.load(tmp_path / "b" / "levels.json")).clips == 12


@pytest.mark.parametrize("to", ["safetensors", "webdataset", "parquet"])
def test_engines_change_no_byte(noise_folder: Path, pipeline: sn.Pipeline, tmp_path: Path, to: str) -> None:
    """Threads and processes, many or one, write the same files; a second run writes nothing anew."""
    engines = {
        "one": sn.engines.ThreadEngine(1),
        "many": sn.engines.ThreadEngine(4),
        "processes": sn.engines.ProcessEngine(2),
    }
    for name, engine in engines.items():
        apply(noise_folder, pipeline, tmp_path / name, store=Store(to, shard_clips=5), engine=engine)
    assert digests(tmp_path / "one") == digests(tmp_path / "many") == digests(tmp_path / "processes")
    apply(noise_folder, pipeline, tmp_path / "one", store=Store(to, shard_clips=5))
    assert digests(tmp_path / "one") == digests(tmp_path / "many")


@pytest.mark.parametrize("to", ["safetensors", "webdataset", "parquet"])
def test_bad_clips_are_left_out_of_their_shard(
    noise_folder: Path, pipeline: sn.Pipeline, tmp_path: Path, to: str
) -> None:
    """A bad clip is listed, and its shard holds the others; a shard of bad ones only is not written."""
    for name in ("a.wav", "b.wav"):
        (noise_folder / name).write_bytes(b"no audio")
    done = apply(noise_folder, pipeline, tmp_path / to, store=Store(to, shard_clips=2), max_bad=0.5)
    assert [bad.path for bad in done.bad] == ["a.wav", "b.wav"]
    assert len(arrays(tmp_path / to, to)) == done.written == 12
    assert not (tmp_path / to / f"shard-00000.{SUFFIX[to]}").exists()


@pytest.mark.parametrize("to", ["safetensors", "parquet"])
def test_a_killed_run_goes_on_to_the_same_bytes(
    noise_folder: Path, pipeline: sn.Pipeline, tmp_path: Path, to: str
) -> None:
    """After SIGKILL at any time the run ends, when called again, with the bytes of one that was never stopped."""
    pipeline.save(tmp_path / "p.safetensors")
    apply(noise_folder, pipeline, tmp_path / "whole", store=Store(to, shard_clips=2))
    command = [sys.executable, "-m", "spectronorm", "apply", str(noise_folder), "-p", str(tmp_path / "p.safetensors")]
    command += ["-o", str(tmp_path / "out"), "--to", to, "--shard-clips", "2", "--workers", "1"]
    for wait in (1.5, 2.5):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as run:
            time.sleep(wait)
            run.send_signal(signal.SIGKILL)
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_what_does_not_go_together_is_refused(noise_folder: Path, pipeline: sn.Pipeline, tmp_path: Path) -> None:
    """Unknown formats, types that a format lacks and axes that are none are one clear error each."""
    for make, message in {
        lambda: Store("zarr"): "to='zarr'",
        lambda: Store("npy", "bfloat16"): "dtype='bfloat16'",
        lambda: Store("npy", "int8"): "dtype='int8'",
        lambda: Store(shard_clips=0): "shard_clips=0",
        lambda: apply(noise_folder, pipeline, tmp_path, store=Store(layout="bft")): "layout='bft'",
    }.items():
        with pytest.raises(sn.errors.ArgumentError, match=message):
            make()
    large = sn.Pipeline(pipeline.front_end, sn.Fixed(0.0, 1e-4).for_front_end(pipeline.front_end))
    with pytest.raises(sn.errors.TooManyBad, match="float16"):
        apply(noise_folder, large, tmp_path / "x", store=Store("npy", "float16"))


def test_foreign_shards_are_not_replaced(noise_folder: Path, pipeline: sn.Pipeline, tmp_path: Path) -> None:
    """A file of somebody else's under a shard's name stays what it is; a shard of ours may be replaced."""
    pipeline.save(tmp_path / "p.safetensors")
    out = tmp_path / "out"
    out.mkdir()
    for to, suffix in SUFFIX.items():
        foreign = out / f"shard-00000.{suffix}"
        foreign.write_bytes(b"somebody's work" * 100)
        command = ["apply", str(noise_folder), "-p", str(tmp_path / "p.safetensors"), "-o", str(out), "--to", to]
        assert CliRunner().invoke(app, command).exit_code != 0
        assert foreign.read_bytes() == b"somebody's work" * 100
        foreign.unlink()
        for _ in range(2):
            assert CliRunner().invoke(app, [*command, "--dtype", "float16"]).exit_code == 0
        assert CliRunner().invoke(app, command).exit_code == 0


@pytest.mark.parametrize("layout", ["ft", "tf"])
@pytest.mark.parametrize("level", [sn.waveform.AsRecorded(), sn.waveform.StandardizeWaveform()])
@pytest.mark.parametrize("duration", [None, 1.5, 4.0])
def test_a_long_clip_is_written_from_its_blocks(
    noise_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    layout: str,
    level: Any,
    duration: float | None,
) -> None:
    """A clip that is too long to be held gives the file that it would give if it were."""
    wave = 0.1 * np.random.default_rng(0).standard_normal(48_000)
    soundfile.write(noise_folder / "long.wav", wave, 16_000)
    front_end = sn.FrontEnd(16_000, level=level, bands=sn.Mel(12))
    one = sn.Pipeline(front_end, sn.Fixed(-40.0, 10.0).for_front_end(front_end))
    apply(noise_folder, one, tmp_path / "held", store=Store(layout=layout), duration=duration)
    monkeypatch.setattr(long_clip, "LONG_SAMPLES", 10_000)
    monkeypatch.setattr(long_clip, "SMALL_BYTES", 10_000)
    monkeypatch.setattr(long_clip, "TWICE", 1)
    monkeypatch.setattr(in_blocks, "LEVEL_FRAMES", 40)
    store = Store(layout=layout)
    apply(noise_folder, one, tmp_path / "blocks", store=store, duration=duration, engine=sn.engines.ThreadEngine(1))
    held, blocks = arrays(tmp_path / "held", "npy"), arrays(tmp_path / "blocks", "npy")
    assert held.keys() == blocks.keys()
    assert all(held[name].shape == blocks[name].shape for name in held)
    assert max(float(np.abs(held[name] - blocks[name]).max()) for name in held) < 1e-5
    index = (tmp_path / "held" / "index.csv").read_text()
    assert index == (tmp_path / "blocks" / "index.csv").read_text()
