"""The commands do what their help says, with exit codes that mean something."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.command_output import messages

import spectronorm as sn
from spectronorm.demo.dataset import make_dataset

Result = subprocess.CompletedProcess[str]


def spectronorm(*arguments: object, cwd: Path | None = None) -> Result:
    """Run the command as a user would, in a process of its own."""
    command = [sys.executable, "-c", "from spectronorm.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


def succeed(*arguments: object) -> Result:
    result = spectronorm(*arguments)
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture
def profile_path(noise_table: Path, tmp_path: Path) -> Path:
    path = tmp_path / "noises.safetensors"
    succeed("fit", noise_table, "-o", path, "--n-mels", 16, "--workers", 2)
    return path


def test_fit_show_apply_is_the_main_job(noise_table: Path, profile_path: Path, tmp_path: Path) -> None:
    """Fit writes a profile, show reads it, apply uses it: the same numbers as in Python."""
    profile = sn.Profile.load(profile_path)
    assert profile == sn.fit(noise_table, sn.FrontEnd(bands=sn.Mel(16)))
    shown = json.loads(succeed("show", profile_path, "--json").stdout)
    assert shown["clips"] == 12
    assert shown["fingerprint"] == profile.front_end.fingerprint
    assert sn.FrontEnd.from_dict(shown["front_end"]) == profile.front_end
    assert shown["global"]["mean"] == profile.overall.mean
    assert shown["band"]["std"] == profile.band.std.tolist()
    assert set(shown["global"]) >= {"mean", "std", "min", "max", "floor_share", "mean_se", "std_se"}
    held = json.loads(succeed("show", profile_path, "--json", "--hold-out", "fold=1", "--hold-out", "fold=2").stdout)
    assert held["band"]["mean"] == profile.without(fold=1).without(fold=2).band.mean.tolist()
    out = tmp_path / "features"
    succeed("apply", noise_table, "--profile", profile_path, "--normalize", "band", "--hold-out", "fold=1", "-o", out)
    pipeline = sn.Pipeline(profile.front_end, sn.Standardize().fit(profile.without(fold=1)))
    assert sn.Pipeline.load(out / "pipeline.safetensors") == pipeline
    np.testing.assert_allclose(
        np.load(out / "low/00.npy"), pipeline(sn.read(noise_table.parent / "low/00.wav", 16_000)), atol=1e-5
    )


def test_a_saved_pipeline_stands_for_a_profile(noise_table: Path, profile_path: Path, tmp_path: Path) -> None:
    """Apply and show take a pipeline where they take a profile."""
    out, again = tmp_path / "out", tmp_path / "again"
    succeed("apply", noise_table, "-p", profile_path, "--normalize", "minmax", "-o", out)
    succeed("apply", noise_table, "-p", out / "pipeline.safetensors", "-o", again)
    np.testing.assert_array_equal(np.load(out / "low/00.npy"), np.load(again / "low/00.npy"))
    assert "MinMax" in succeed("show", out / "pipeline.safetensors").stdout
    assert json.loads(succeed("show", out / "pipeline.safetensors", "--json").stdout)["normalizer"]["name"] == "MinMax"
    assert (
        spectronorm(
            "apply", noise_table, "-p", out / "pipeline.safetensors", "--normalize", "band", "-o", out
        ).returncode
        == 2
    )


def test_show_prints_tables_plot_and_bad_files(noise_table: Path, tmp_path: Path) -> None:
    """People see figures, groups, a plot, and every bad file with its reason."""
    pytest.importorskip("matplotlib")
    noise_table.write_text(noise_table.read_text() + "gone.wav,low,1,train\n")
    path, picture = tmp_path / "p", tmp_path / "bands.png"
    fitted = succeed("fit", noise_table, "-o", path, "--n-mels", 16, "--max-bad", "10%")
    assert "gone.wav (missing)" in fitted.stderr
    text = succeed("show", path, "--plot", picture).stdout
    for part in ("floor", "se(mean)", "Groups", "gone.wav", "missing", "●"):
        assert part in text
    with Image.open(picture) as image:
        assert image.size[0] > 600
    assert json.loads(succeed("show", path, "--json").stdout)["bad"] == [
        {"path": "gone.wav", "reason": "missing", "detail": "there is no such file"}
    ]


def test_front_end_options_have_library_names(noise_table: Path, tmp_path: Path) -> None:
    """Each option sets its field, on top of a preset or a file."""
    path = tmp_path / "p"
    options = "--preset logmel --sample-rate 8000 --n-fft 512 --n-mels 32 --mel-scale htk --norm none --no-center"
    succeed("fit", noise_table, "-o", path, *options.split(), "--level", "standardize", "--offset", "1e-6")
    front_end = sn.Profile.load(path).front_end
    assert front_end == sn.FrontEnd(
        8000,
        level=sn.waveform.StandardizeWaveform(),
        stft=sn.STFT(512, pad_mode="constant", center=False),
        bands=sn.Mel(32, mel_scale="htk", norm=None),
        compress=sn.Ln(1e-6),
    )
    (tmp_path / "front_end.json").write_text(front_end.to_json())
    succeed("fit", noise_table, "-o", path, "--front-end", tmp_path / "front_end.json", "--bands", "linear")
    assert sn.Profile.load(path).front_end.bands == sn.Linear()


def test_sample_measures_a_random_share(noise_table: Path, tmp_path: Path) -> None:
    """A fifth of the clips, by percent or share, the same for a seed."""
    succeed("fit", noise_table, "-o", tmp_path / "a", "--sample", "50%", "--seed", 3)
    succeed("fit", noise_table, "-o", tmp_path / "b", "--sample", "0.5", "--seed", 3)
    assert sn.Profile.load(tmp_path / "a") == sn.Profile.load(tmp_path / "b")
    assert "6 clips (a sample of " in succeed("show", tmp_path / "a").stdout


MISUSE = [
    "fit",
    "fit {source}",
    "fit {source} -o {out} --n-mels 0",
    "fit {source} -o {out} --preset fastudio",
    "fit {source} -o {out} --preset logmel --front-end x.json",
    "fit {source} -o {out} --bands linear --n-mels 3",
    "fit {source} -o {out} --sample lots",
    "fit {source} -o {out} --max-bad 200%",
    "fit {source} -o {out} --hold-out fold",
    "fit {source} -o {out} --hold-out fold=77",
    "fit {source} -o {out} --group-by speaker",
    "fit {source} -o {out} --workers 0",
    "fit {source} -o {out} --front-end missing.json",
    "show {profile} --hold-out fold=77",
    "apply {source} -p {profile} -o {out}",
    "apply {source} -p {profile} -o {out} --normalize bands",
    "frobnicate",
]
FAILURE = [
    "fit missing/ -o {out}",
    "show missing",
    "show {source}",
    "apply {source} -p missing -o {out} --normalize band",
]


@pytest.mark.parametrize(("line", "code"), [*((line, 2) for line in MISUSE), *((line, 1) for line in FAILURE)])
def test_exit_codes_tell_misuse_from_failure(line: str, code: int, noise_table: Path, tmp_path: Path) -> None:
    """2 for misuse and 1 for failure, a message on stderr, no traceback, and nothing written."""
    profile = tmp_path / "profile"
    sn.fit(noise_table, sn.FrontEnd(bands=sn.Mel(16))).save(profile)
    out = tmp_path / "out"
    result = spectronorm(*line.format(source=noise_table, out=out, profile=profile).split())
    assert result.returncode == code, result.stderr
    assert result.stderr
    assert "Traceback" not in result.stderr
    assert not out.exists()


def test_too_many_bad_files_fail_the_run(noise_folder: Path, tmp_path: Path) -> None:
    """Beyond the limit the exit code is 1, the reasons are counted, and there is no profile."""
    (noise_folder / "bad.wav").write_text("not audio")
    result = spectronorm("fit", noise_folder, "-o", tmp_path / "p")
    assert result.returncode == 1
    assert "1 unreadable" in result.stderr
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("command", [[], ["fit"], ["show"], ["apply"], ["demo"]])
def test_help_has_examples(command: list[str]) -> None:
    """Each command explains itself, with an example where there are options."""
    text = succeed(*command, "--help").stdout
    assert "Usage" in text
    assert not command or f"spectronorm {command[0]} " in text.split("Examples")[1]


def test_a_pipe_gets_no_bar_and_clean_json(noise_table: Path, tmp_path: Path) -> None:
    """Without a terminal, stdout is one JSON object, and stderr has plain lines of progress or none."""
    result = succeed("fit", noise_table, "-o", tmp_path / "p", "--json")
    assert json.loads(result.stdout)["clips"] == 12
    assert messages(result.stderr) == []
    assert not set(result.stderr) & {"\r", "\x1b"}


def test_ctrl_c_leaves_nothing_torn(tmp_path: Path) -> None:
    """Stopped in the middle, the run exits with 130 and writes no file under its final name."""
    folder = make_dataset(tmp_path / "sounds", clips_per_kind=40)
    out = tmp_path / "out.safetensors"
    begin = "from spectronorm.cli import main; print('ready', flush=True); main()"
    command = [sys.executable, "-c", begin, "fit", str(folder), "-o", str(out), "--max-bad", "5%"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    if process.returncode == 0:  # a very fast machine was done already
        assert sn.Profile.load(out).clips > 300
        return
    assert process.returncode == 130, error
    assert "Traceback" not in error
    assert not out.exists()


def test_the_demo_shows_the_whole_job(tmp_path: Path) -> None:
    """The demo makes its sounds, measures 79 of 80 files, and everything that it names exists."""
    pytest.importorskip("matplotlib")
    result = spectronorm("demo", "-o", tmp_path / "demo")
    assert result.returncode == 0, result.stderr
    assert "measured 79 clips" in result.stdout
    assert "truncated" in result.stderr
    listed, following = result.stdout.split("next:\n")
    named = [Path(line.split(maxsplit=1)[1]) for line in listed.splitlines() if str(tmp_path) in line]
    assert len(named) == 6
    for line in following.splitlines():
        program, *arguments = shlex.split(line, comments=True)
        assert program == "spectronorm"
        assert spectronorm(*arguments, cwd=tmp_path).returncode == 0
    assert all(path.exists() for path in named)
    report = (tmp_path / "demo" / "report.html").read_text()
    assert "http://" not in report.replace("http://www.w3.org", "")
    assert "https://" not in report
    assert report.count("<audio controls") == report.count('src="data:audio/flac;base64,') == 10
    with Image.open(tmp_path / "demo" / "comparison.png") as image:
        assert image.size[0] > 800
    profile = sn.Profile.load(tmp_path / "demo" / "sounds.safetensors")
    assert len(np.load(next((tmp_path / "demo" / "features").rglob("*.npy")))) == profile.front_end.n_bands
