"""Names of any bytes in every command: classes, clips, models and outputs named so that terminals or libraries err."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn

from . import test_names
from .bad_inputs import tone
from .command_line import COMMANDS, Ended, run

CLASSES = ("[red]a[\x1b[31m$\\frac{$", "\u202eb\n\u0085" + os.fsdecode(b"caf\xe9"))
ODD = "\x1b]0;pwned\x07[bold]\r\u2066" + os.fsdecode(b"\xff")
"""Part of every name of a file, folder and output."""
TEXT = f"[/red]{ODD}"
"""A name that is none: of a class, data set or format."""
CLIPS = 10
FRONT_END = ["--sample-rate", "8000", "--n-fft", "256", "--hop-length", "128", "--n-mels", "16"]
TRAINING = ["--steps", "1", "--every", "1", "--size", "16", "--width", "2", "--latent", "2", "--batch-size", "4"]
NEED_TORCH = {"compare", "sensitivity", "gan train", "gan sample", "gan score"}
NEED_MATPLOTLIB = {"inspect", "plot", "demo"}
NAMELESS = {"cite", "datasets list", "formats", "plugins", "presets", "warm"}
"""Commands that are given no name of a file or class."""
SERVES = {"explore"}
"""Commands that run until they are stopped: tests/explore has their hostile names."""
MODEL = """
import torch

class Loud(torch.nn.Module):
    def forward(self, x):
        mean = x.mean(dim=(1, 2, 3))
        return torch.stack([mean, -mean], dim=1)

model = Loud()
"""


@dataclass(frozen=True)
class World:
    """Sounds with hostile names and what was made of them, every file and folder with a hostile name too."""

    root: Path

    @property
    def source(self) -> Path:
        return self.root / f"src{ODD}"

    @property
    def profile(self) -> Path:
        return self.root / f"profile{ODD}.safetensors"

    @property
    def pipeline(self) -> Path:
        return self.root / f"pipeline{ODD}.safetensors"

    @property
    def statistics(self) -> Path:
        return self.root / f"stats{ODD}.json"

    @property
    def gan(self) -> Path:
        return self.root / f"gan{ODD}"

    @property
    def clip(self) -> Path:
        return next((self.source / CLASSES[0]).glob("good*"))

    def out(self, name: str) -> Path:
        return self.root / f"out of {name}{ODD}"


@dataclass(frozen=True)
class Try:
    """A command, what it must write below its output, and the exit codes that it may have."""

    line: Callable[[World], Sequence[object]]
    writes: tuple[str, ...] = ()
    codes: tuple[int, ...] = (0,)


def out(world: World, name: str, suffix: str = "") -> list[object]:
    return ["-o", f"{world.out(name)}{suffix}"]


TRIES = {
    "compare": Try(
        lambda w: [
            *("compare", w.source, *out(w, "compare"), "--arms", "none,global", "--folds", "2", "--max-bad", "30%"),
            *("--seeds", "1", "--epochs", "1", "--batch-size", "4", "--update-classes", "0", *FRONT_END),
        ],
        ("report.html", "results.jsonl", "experiment.json"),
    ),
    "gan train": Try(
        lambda w: [
            *("gan", "train", w.source, *out(w, "gan train"), "--conditional", "--max-bad", "30%", *TRAINING),
            *("--fix-length", "crop-or-pad", *FRONT_END),
        ],
        ("model.safetensors",),
    ),
    "gan sample": Try(
        lambda w: ["gan", "sample", w.gan, *out(w, "gan sample"), "-n", "4", "--audio", "--quality", "fast"],
        ("index.csv",),
    ),
    "gan sample, unknown class": Try(
        lambda w: ["gan", "sample", w.gan, *out(w, "no class"), "--class", TEXT], codes=(1, 2)
    ),
    "gan score": Try(
        lambda w: [
            *("gan", "score", w.gan, "--source", w.source, "--hold-out", f"label={CLASSES[1]}", "--max-bad", "30%"),
            *("--seeds", "1", "--epochs", "1", "-n", "10", "--splits", "1"),
        ],
        codes=(0, 1, 2),
    ),
    "datasets get": Try(
        lambda w: ["datasets", "get", "fsdd", *out(w, "datasets"), "--archive", w.root / f"a{ODD}.zip"], codes=(1,)
    ),
    "datasets get, unknown": Try(lambda w: ["datasets", "get", TEXT, *out(w, "no data set")], codes=(2,)),
    "describe": Try(lambda w: ["describe", w.profile]),
    "describe, no file": Try(lambda w: ["describe", w.root / f"no{ODD}"], codes=(1, 2)),
    "audit": Try(lambda w: ["audit", w.pipeline, w.source, "--max-bad", "30%"], codes=(0, 1)),
    "audit, statistics": Try(
        lambda w: ["audit", w.statistics, w.source, "--max-bad", "30%", "--front-end", w.root / "front.json"],
        codes=(0, 1),
    ),
    "import": Try(
        lambda w: ["import", w.statistics, *out(w, "import", ".safetensors"), "--front-end", w.root / "front.json"],
        (".safetensors",),
    ),
    "export": Try(
        lambda w: ["export", w.profile, "--normalize", "band", "--to", "torchaudio", *out(w, "export", ".json")],
        (".json",),
    ),
    "export, unknown": Try(lambda w: ["export", w.profile, "--to", TEXT, *out(w, "export")], codes=(2,)),
    "sensitivity": Try(
        lambda w: [
            *("sensitivity", "hostile_model:model", w.source, "-p", w.profile, *out(w, "sensitivity")),
            *("--normalize", "global", "--max-bad", "30%", "--draws", "1"),
        ],
        ("sensitivity.json", "report.html"),
    ),
    "sensitivity, unknown class": Try(
        lambda w: [
            *("sensitivity", "hostile_model:model", w.source, "-p", w.profile, *out(w, "no sensitivity")),
            *("--max-bad", "30%", "--classes", TEXT),
        ],
        codes=(2,),
    ),
    "inspect": Try(lambda w: ["inspect", w.source, "--html", f"{w.out('inspect')}.html"], (".html",), codes=(1,)),
    "inspect, no table holds such names": Try(
        lambda w: ["inspect", w.source, "--exclude", f"{w.out('inspect')}.csv"], codes=(2,)
    ),
    "plot": Try(lambda w: ["plot", w.clip, "-p", w.profile, *out(w, "plot", ".png")], (".png",)),
    "explain": Try(lambda w: ["explain", w.profile, w.pipeline, "--audio", w.clip]),
    "explain, nothing": Try(lambda w: ["explain", w.profile, TEXT], codes=(1, 2)),
    "roundtrip": Try(
        lambda w: ["roundtrip", w.clip, *out(w, "roundtrip"), "--quality", "fast", "--figure", *FRONT_END],
        ("roundtrip.json",),
    ),
    "update": Try(
        lambda w: [
            *("update", w.profile, w.source, *out(w, "update", ".safetensors"), "--force", "--max-bad", "30%"),
        ],
        (".safetensors",),
    ),
    "update with training": Try(
        lambda w: [
            *("update", w.profile, w.source, *out(w, "update 2", ".safetensors"), "--force", "--max-bad", "30%"),
            *("--training", w.source),
        ],
        (".safetensors",),
    ),
    "watch": Try(
        lambda w: [
            *("watch", w.source, "-p", w.profile, "--once", "--window", "8", "--training", w.source),
            *("--max-bad", "30%", "--state", w.out("state"), "--report", f"{w.out('page')}.html"),
        ],
        codes=(0, 3),
    ),
    "watch, no state": Try(
        lambda w: ["watch", w.source, "-p", w.profile, "--once", "--state", w.statistics], codes=(1, 2)
    ),
    "demo": Try(lambda w: ["demo", *out(w, "demo")], ("report.html", "sounds.safetensors")),
    "demo, foreign": Try(lambda w: ["demo", "-o", w.statistics], codes=(1, 2)),
}
SLOW = {"demo"}
"""Run once, for people only."""


def words_of(name: str) -> str:
    """The command that a try runs."""
    return name.split(",", maxsplit=1)[0].removesuffix(" with training")


def needs(name: str) -> None:
    """Skip what this environment cannot run."""
    if words_of(name) in NEED_TORCH and find_spec("torch") is None:
        pytest.skip("torch is not installed")
    if words_of(name) in NEED_MATPLOTLIB and find_spec("matplotlib") is None:
        pytest.skip("matplotlib is not installed")


def ended(line: Sequence[object], codes: Sequence[int]) -> Ended:
    """A run that must end with one of these codes, and print nothing that a terminal obeys."""
    done = run([str(argument) for argument in line])
    assert not done.complaint, done.complaint
    assert done.exit_code in codes, done.output
    assert all(char == "\n" or char.isprintable() for char in done.output), repr(done.output)
    return done


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The sounds, a bad and a silent one of each class, and what other commands made of them."""
    made = World(tmp_path_factory.mktemp("everywhere"))
    for cycles, label in enumerate(CLASSES):
        folder = made.source / label
        folder.mkdir(parents=True)
        for index in range(CLIPS):
            wave = tone(0.25, 8_000, seed=index) * (0.1 if cycles else 1.0)
            path = os.fsencode(folder / f"good{ODD}{index}.wav")
            soundfile.write(path, wave, 8_000, subtype="PCM_16")
        soundfile.write(os.fsencode(folder / f"flat{ODD}.wav"), np.zeros(2000), 8_000)
        (folder / f"bad{ODD}.wav").write_bytes(b"no audio")
    (made.source / f"notes{ODD}.x{ODD}").write_text("not read")
    (made.root / f"a{ODD}.zip").write_bytes(b"no archive")
    front_end = sn.FrontEnd(8_000, stft=sn.STFT(n_fft=256, hop_length=128), bands=sn.Mel(16))
    (made.root / "front.json").write_text(front_end.to_json())
    profile = sn.fit(made.source, front_end, group_by=["label"], max_bad=0.3)
    profile.save(made.profile)
    sn.Pipeline(front_end, sn.Standardize().fit(profile)).save(made.pipeline)
    made.statistics.write_text(json.dumps({"mean": profile.band.mean.tolist(), "std": profile.band.std.tolist()}))
    (made.root / "hostile_model.py").write_text(MODEL)
    return made


@pytest.fixture
def trained(world: World) -> World:
    """The same, with a generator trained on the hostile classes."""
    if not world.gan.exists():
        ended([world.gan if one == world.out("gan train") else one for one in TRIES["gan train"].line(world)], (0,))
        shutil.move(world.out("gan train"), world.gan)
    return world


@pytest.mark.parametrize("name", TRIES)
def test_no_name_orders_a_terminal_or_ends_a_command(
    name: str, world: World, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command ends with its usual code, prints nothing raw, writes all of its files; JSON is JSON."""
    needs(name)
    if name.startswith(("gan sample", "gan score")):
        request.getfixturevalue("trained")
    monkeypatch.chdir(world.root)
    monkeypatch.syspath_prepend(str(world.root))
    one = TRIES[name]
    line = list(one.line(world))
    done = ended(line, one.codes)
    for file in one.writes if done.exit_code == 0 else ():
        target = Path(str(line[line.index("-o") + 1]))
        path = target if file.startswith(".") else target / file
        assert path.is_file(), sorted(target.rglob("*"))
        assert path.stat().st_size
    if name not in SLOW and "--json" in {parameter.flag for parameter in COMMANDS[words_of(name)]}:
        again = ended([*line, "--json"], one.codes)
        if again.exit_code == 0:
            json.loads(next(text for text in again.output.splitlines() if text.startswith("{")))
    sys.modules.pop("hostile_model", None)


def test_every_command_is_tried() -> None:
    """A command that is added later must be tried here or in `test_names`, or be given no name."""
    tried = {words_of(name) for name in (*TRIES, *test_names.COMMANDS)} | {"show", "invert"}
    assert set(COMMANDS) - NAMELESS - SERVES <= tried
