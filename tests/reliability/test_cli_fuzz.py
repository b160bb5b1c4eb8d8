"""Any options of any command: an exit code that means something, and no traceback.

`make fuzz-cli RUNS=5000` runs more of them than the suite does.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

import spectronorm as sn

from .bad_inputs import tone
from .command_line import COMMANDS, Parameter, run

RUNS = int(os.environ.get("SPECTRONORM_FUZZ_RUNS", "150"))
BOUNDS = {
    "compare": "--arms none,global --seeds 1 --epochs 1 --batch-size 2 --model tiny --update-classes 0",
    "datasets get": "--url http://127.0.0.1:9/x.zip",
    "gan train": "--steps 1 --every 1 --size 16 --width 2 --latent 2 --batch-size 2",
    "gan sample": "-n 2",
    "gan score": "--seeds 1 --epochs 1 -n 10 --splits 1",
}
"""Options that keep a command short or away from the network; they follow the drawn ones, and so replace them."""
NEED_TORCH = {"compare", "gan train", "gan sample", "gan score"}
SLOW = {"demo"}
"""Tried only where there are many runs: one takes ten seconds, whatever its options."""
TRIED = sorted(set(COMMANDS) - (set() if find_spec("torch") else NEED_TORCH) - (set() if RUNS >= 1000 else SLOW))
TEXTS = (
    "",
    " ",
    "x",
    "nowhere",
    "-",
    "--",
    "=",
    "fold=1",
    "label=low",
    "1%",
    "0.5",
    "-1",
    "nan",
    "band",
    "clip",
    "$x$",
)
ODD = (
    "[/red]",
    "a" * 300,
    "\x1b[31m",
    "é",
    "\ud800",
    "{}",
    "../..",
    "fixed=-80,0",
    "sigma=3",
    "quantiles=0,2",
    "1/week",
)
FILES = (
    "clips",
    "profile",
    "pipeline",
    "front.json",
    "table.csv",
    "junk",
    "level.npy",
    "nowhere",
    "clips/low/0.wav",
    "gan",
    "images",
)
NUMBERS = ("0", "1", "2", "3", "8", "16", "64", "100", "8000", "-1", "0.5", "1e-9", "1e9", "nan", "inf", "10" * 30, "x")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sounds, a profile, a pipeline, an image, saved spectrograms, and things that are none of these."""
    folder = tmp_path_factory.mktemp("place")
    for label in ("low", "high"):
        (folder / "clips" / label).mkdir(parents=True)
        for number in range(6):
            wave = tone(0.3, 8_000, seed=number)
            soundfile.write(folder / "clips" / label / f"{number}.wav", wave, 8_000, subtype="PCM_16")
    front_end = sn.FrontEnd(sample_rate=8_000, stft=sn.STFT(n_fft=64), bands=sn.Mel(3))
    profile = sn.fit(folder / "clips", front_end, group_by=["label"])
    profile.save(folder / "profile")
    sn.Pipeline(front_end, sn.Standardize().fit(profile)).save(folder / "pipeline")
    (folder / "front.json").write_text(front_end.to_json())
    (folder / "table.csv").write_text("path,label\nclips/low/0.wav,low\nmissing.wav,low\n")
    (folder / "junk").write_bytes(b"junk" * 100)
    np.save(folder / "level.npy", np.zeros((3, 8)))
    monkey = pytest.MonkeyPatch()
    monkey.chdir(folder)
    assert run(["images", "clips", "-p", "profile", "-o", "images"]).exit_code == 0
    if "gan train" in TRIED:
        line = "gan train clips -o gan --sample-rate 8000 --n-fft 64 --n-mels 16 --fix-length crop-or-pad"
        assert run(f"{line} {BOUNDS['gan train']}".split()).exit_code == 0
    monkey.undo()
    return folder


@st.composite
def values(draw: st.DrawFn, parameter: Parameter) -> str:
    """A value for a parameter: mostly of its kind."""
    if parameter.kind in (int, float):
        return draw(st.sampled_from(NUMBERS))
    files = st.sampled_from(FILES)
    if parameter.name in ("output", "plot", "report", "state"):
        return draw(st.sampled_from(("out", "out.safetensors", "out/deep/er", "clips", "junk", "out.png", "out.wav")))
    if parameter.kind is Path or parameter.name in ("source", "new", "training"):
        return draw(files)
    return draw(st.one_of(st.sampled_from(TEXTS), st.sampled_from(ODD), files))


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """A command line: the required parameters mostly, and a few of the others."""
    words = draw(st.sampled_from(TRIED))
    parameters = COMMANDS[words]
    given = words.split()
    optional = [parameter for parameter in parameters if not parameter.required]
    chosen = draw(st.lists(st.sampled_from(optional), max_size=5)) if optional else []
    for parameter in [one for one in parameters if one.required] + chosen:
        if parameter.kind is bool:
            given.append(parameter.flag)
        elif parameter.is_argument:
            given.append(draw(values(parameter)))
        else:
            given += [parameter.flag, draw(values(parameter))]
    if words == "watch":
        given.append("--once")
    return given + BOUNDS.get(words, "").split()


QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(
    max_examples=RUNS,
    deadline=None,
    suppress_health_check=QUIET,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
@example(line=["plugins", " ", "a" * 300])
@given(line=lines())
def test_any_command_line_ends_as_it_must(line: list[str], place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 0, 1, 2, 3 or 130, and never a traceback."""
    monkeypatch.chdir(place)
    if find_spec("uvicorn"):  # A page is served until Ctrl-C; here only what comes before is tried.
        monkeypatch.setattr("spectronorm.explore.serve.serve", lambda *_: None)
    result: Any = run([*line, *(["--workers", "1"] if "--workers" not in line and _has_workers(line) else [])])
    assert not result.complaint, f"{line}: {result.complaint}"


def _has_workers(line: list[str]) -> bool:
    words = next((words for words in TRIED if line[: len(words.split())] == words.split()), "")
    return any(parameter.name == "workers" for parameter in COMMANDS.get(words, []))
