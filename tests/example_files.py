"""Small files of every name that the examples of help and documentation read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app

RATE = 16_000
SAMPLES = Path(__file__).parent / "interop" / "samples"
NETS = """
import numpy as np, torch

def trained():
    generator = torch.Generator().manual_seed(0)
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.randn(201, 2, generator=generator))
        def forward(self, x):
            return x.mean((1, 3)) @ self.weight
    return Net()

def pretrained_ast():
    return trained()
"""
ARMS = '[factors]\nnormalize = ["none", "band"]\n'


def sound(seed: int, kind: int, seconds: float = 1.0, gain: float = 0.1) -> np.ndarray:
    """A tone of the kind's pitch that comes and goes, in noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * (400 + 1500 * kind + 10 * (seed % 7)) * time) * (1 + np.sin(2 * np.pi * 3 * time))
    return gain * (1 + 0.3 * (seed % 3)) * (tone + 0.2 * rng.standard_normal(len(time)))


def write(path: Path, wave: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, RATE)


def esc(folder: Path) -> None:
    """Twenty clips of two classes and five folds in the layout of ESC-50."""
    rows = ["filename,fold,target,category,esc10,src_file,take"]
    for index in range(20):
        fold, target = index // 4 + 1, index % 2
        name = f"{fold}-{100_000 + index}-A-{target}.ogg"
        write(folder / "audio" / name, sound(index, target))
        rows.append(f"{name},{fold},{target},{('dog', 'rain')[target]},True,{100_000 + index},A")
    (folder / "meta").mkdir()
    (folder / "meta" / "esc50.csv").write_text("\n".join(rows) + "\n")


def tables(root: Path) -> None:
    """Sounds in two folders of labels, and tables of them with speakers and splits."""
    rows, digits = ["path,label,speaker,split"], ["path,label,speaker,split"]
    for index in range(20):
        label, speaker, split = ("dog", "rain")[index % 2], f"s{index // 4}", "test" if index % 5 == 4 else "train"
        name = f"sounds/{label}/1-{100_032 + index // 2}-A-{index % 2}.wav"
        write(root / name, sound(100 + index, index % 2))
        rows.append(f"{name},{label},{speaker},{split}")
        digits.append(f"{name},{(3, 7)[index % 2]},{speaker},{split}")
    for table in ("train.csv", "test.csv", "words.csv"):
        (root / table).write_text("\n".join(rows) + "\n")
    (root / "digits.csv").write_text("\n".join(digits) + "\n")


def folders(root: Path) -> None:
    """Clips of a deployment, long recordings, and single files."""
    for name, count, gain in (("new", 3, 0.1), ("incoming", 3, 0.1), ("today", 3, 0.1), ("uploads", 3, 0.1)):
        for index in range(count):
            write(root / name / f"{index}.wav", sound(300 + index, index % 2, gain=gain))
    for name in ("test", "train"):
        for index in range(6):
            write(root / name / f"{index}.wav", sound(400 + len(name) * 10 + index, index % 2))
    for index in range(40):
        wave = sound(500 + index, index % 2)
        muffled = np.convolve(wave, [0.5, 0.5])[: len(wave)]
        write(root / "unlabelled" / f"{index}.wav", muffled)
    for name in ("recordings", "field"):
        write(root / name / "long.wav", sound(600 + len(name), 0, seconds=9))
    (root / "incoming" / "broken.wav").write_text("not a sound")
    write(root / "dog.wav", sound(700, 0))
    write(root / "speech.wav", sound(701, 1))
    stereo = np.stack([sound(702, 0), sound(703, 1)], 1)
    for index in range(3):
        write(root / "stereo" / f"{index}.wav", np.roll(stereo, 100 * index, axis=0))
    legacy = sn.FrontEnd(22_050, bands=sn.Mel(128), stft=sn.STFT(2048, hop_length=512))
    level = legacy(sn.read(root / "dog.wav", 22_050))
    pixels = np.round(255 * (level - level.min()) / (level.max() - level.min())).astype(np.uint8)
    Image.fromarray(pixels[::-1, :24]).save(root / "picture.png")


def measured(root: Path) -> None:
    """Profiles, pipelines and descriptions of front ends."""
    fastaudio = sn.fit(root / "esc10", sn.preset("fastaudio"))
    for name in ("esc10", "last-year"):
        fastaudio.save(root / f"{name}.safetensors")
    mel = sn.FrontEnd(RATE, bands=sn.Mel(64))
    sounds = sn.fit(root / "sounds", mel)
    for name in ("sounds", "train", "field", "this-year", "digits"):
        sounds.save(root / f"{name}.safetensors")
    sn.fit(root / "sounds", mel, list_files=True).save(root / "listed.safetensors")
    band = sn.Standardize(per="band")
    for name in ("esc10-band", "pipeline"):
        sn.Pipeline(fastaudio.front_end, band.fit(fastaudio)).save(root / f"{name}.safetensors")
    kaldi = sn.preset("kaldi")
    for name in ("my-front-end.json", "front_end.json"):
        (root / name).write_text(kaldi.to_json())
    sn.interop.statistics.write(root / "global_cmvn", sn.fit(root / "sounds", kaldi), "kaldi")


def pictures(root: Path) -> None:
    """Images that carry all that their inverse needs."""
    words = ["images", f"{root}/sounds", "-p", f"{root}/sounds.safetensors", "-o", f"{root}/images"]
    assert CliRunner().invoke(app, words).exit_code == 0


def foreign(root: Path) -> None:
    """Statistics of other programs, spectrograms of other programs, and a network."""
    shutil.copy(SAMPLES / "hf_ast" / "preprocessor_config.json", root)
    kaldi = " ".join(["1000"] * 23) + " 100\n  " + " ".join(["20000"] * 23) + " 0"
    (root / "cmvn.ark").write_text(f"speaker7  [\n  {kaldi} ]\nspk1  [\n  {kaldi} ]\n")
    levels = sn.Levels(bands=40, unit="dB", low=-120, high=60, made_by="torchaudio", settings={"n_fft": 400})
    (root / "features").mkdir()
    for folder in (root, root / "features"):
        (folder / "levels.json").write_text(levels.to_json())
    rng = np.random.default_rng(0)
    for index in range(20):
        path = root / "features" / ("dog", "rain")[index % 2] / f"{index}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, rng.normal(-40 + 10 * (index % 2), 12, (40, 50)).astype(np.float32))
    np.savez(root / "feats_stats.npz", count=1000, sum=np.full(40, -40_000.0), sum_square=np.full(40, 1_700_000.0))
    (root / "nets.py").write_text(NETS)
    (root / "arms.toml").write_text(ARMS)


def network(root: Path) -> None:
    """Write the network as ONNX."""
    import torch  # noqa: PLC0415

    names: dict[str, Any] = {}
    exec(NETS, names)  # noqa: S102
    clip, frame = torch.export.Dim("clip"), torch.export.Dim("frame")
    torch.onnx.export(
        names["trained"]().eval(),
        (torch.zeros(2, 1, 201, 101),),
        root / "model.onnx",
        dynamic_shapes=({0: clip, 3: frame},),
        verbose=False,
    )


def enter_copy(prepared: Path, parent: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a copy of the prepared files the current folder, for one test."""
    folder = parent / "files"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    return folder


def make_example_files(root: Path) -> Path:
    """Write every file that an example reads before another one has written it."""
    root.mkdir(parents=True, exist_ok=True)
    esc(root / "esc10")
    shutil.copytree(root / "esc10", root / "ESC-50")
    tables(root)
    folders(root)
    measured(root)
    foreign(root)
    pictures(root)
    return root
