"""Whatever is wrong with a comparison is said in one line, before anything trains."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app

pytest.importorskip("torch")

from tests.command_output import messages
from tests.experiment_cases import FRONT_END, LINEAR, prepared, write_clips

from spectronorm.cli.compare_design import parse_time
from spectronorm.experiment import Training, labelled_clips, parse_arms
from spectronorm.experiment.protocols import find_protocol

SMALL = ["--sample-rate", "1000", "--n-fft", "64", "--hop-length", "32", "--bands", "linear", "--drop-nyquist"]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"), drowned=True, seed=0, clips=18)


def changed(table: Path, tmp_path: Path, change: object) -> Path:
    """The table with each row's fields changed, in its folder."""
    header, *rows = table.read_text().splitlines()
    lines = [change(i, row.split(",")) for i, row in enumerate(rows)]
    path = table.parent / f"{tmp_path.name}.csv"
    path.write_text("\n".join([header, *(",".join(line) for line in lines if line)]) + "\n")
    return path


CASES = {
    "no label": (lambda i, r: [r[0], "", *r[2:]], r"18 of 18 clips have no label .* --label COLUMN"),
    "one class": (lambda i, r: [r[0], "up", *r[2:]], "at least two classes"),
    "one class in a fold": (lambda i, r: [r[0], "up" if r[2] == "2" else r[1], *r[2:]], "fold 2 holds only the class"),
    "a fold with one clip": (lambda i, r: [*r[:2], "9" if i == 0 else r[2], r[3]], "fold 9 holds 1 clip.*--folds 5"),
    "a class in one fold only": (
        lambda i, r: [r[0], "new" if i == 0 else r[1], *r[2:]],
        "without fold 1 there is no clip of class 'new'",
    ),
    "one recording": (lambda i, r: [*r[:3], "same"], "recording same is in folds 1 and 2"),
    "a recording in two folds": (
        lambda i, r: [*r[:3], "same" if i < 2 else r[3]],
        "recording same is in folds 1 and 2",
    ),
}


def test_one_group_makes_no_folds(table: Path, tmp_path: Path) -> None:
    """Clips of one recording alone cannot be in training and test data, whatever folds are asked for."""
    path = changed(table, tmp_path, lambda i, r: [*r[:3], "same"])
    with pytest.raises(sn.SpectronormError, match="all clips are of one recording"):
        labelled_clips(sn.open_source(path), folds=3)


def clips_of(labels: str, groups: str = "") -> list[dict[str, object]]:
    """Items of noise with one letter of label, and of group, each."""
    wave = 0.1 * np.random.default_rng(0).standard_normal(800)
    return [
        {"audio": (wave, 8000), "label": label, **({"speaker": groups[n]} if groups else {})}
        for n, label in enumerate(labels)
    ]


@pytest.mark.parametrize(
    ("labels", "groups", "folds", "message"),
    [
        ("ab", "", None, "folds=5: must be 2, because"),
        ("ab", "", 2, "fold 1 holds 1 clip, too few .* make fewer folds with --folds, or add recordings$"),
        ("abcdefghij", "", 5, "'a' to train on; all its clips are of one recording or speaker: add others"),
        ("aaab" * 3, "xxxyzzzyvvvy", 3, "holds only the class 'a'; make fewer folds with --folds, or add recordings$"),
        ("aabab", "", 5, "fold 1 holds 1 clip, too few to test on; make fewer folds"),
    ],
)
def test_advice_about_folds_does_not_go_in_circles(labels: str, groups: str, folds: int, message: str) -> None:
    """Folds that were made are not answered with the advice to make folds."""
    with pytest.raises(sn.SpectronormError, match=message) as caught:
        labelled_clips(sn.open_source(clips_of(labels, groups)), folds=folds)
    assert "--folds 5" not in str(caught.value)


@pytest.mark.parametrize("name", CASES)
def test_poor_data_is_refused(name: str, table: Path, tmp_path: Path) -> None:
    """Each defect of labels and folds has its own message that says what to do."""
    change, message = CASES[name]
    path = changed(table, tmp_path, change)
    with pytest.raises(sn.SpectronormError, match=message):
        labelled_clips(sn.open_source(path))
    result = CliRunner().invoke(app, ["compare", str(path), "-o", str(tmp_path / "out"), *SMALL])
    assert result.exit_code in (1, 2)
    assert len(messages(result.stderr)) == 1
    assert not (tmp_path / "out" / "results.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--arms", "none,glboal"], "arm 'glboal' is unknown; use one of none, global"),
        (["--arms", "none"], "at least two arms"),
        (["--arms", "none,none"], "'none' is given twice"),
        (["--arms", "missing.toml"], "missing.toml: cannot be read as arms"),
        (["--reference", "band", "--arms", "none,global"], "reference='band' must be one of the arms"),
        (["--folds", "nowhere"], "folds 'nowhere': 18 of 18 clips have no such column"),
        (["--folds", "1"], "folds=1 must be a whole number, 2 or more"),
        (["--group", "nobody"], "groups 'nobody'"),
        (["--metric", "f1"], "metric='f1' must be one of accuracy, recall, map"),
        (["--separator", " "], "separator=' ' must be the text"),
        (["--hold-out", "7"], "hold out '7'"),
        (["--hold-out", "1,1"], "hold out '1': is named twice"),
        (["--model", "huge"], "model='huge' is unknown; use one of tiny"),
        (["--model", "tests.experiment_cases:wrong_size"], r"gives \(2, 3\) for a batch of 2"),
        (["--model", "tests.experiment_cases:nothing"], "cannot be made"),
        (["--model", "builtins:str"], "returned a str, not a torch.nn.Module"),
        (["--precision", "int4"], "precision='int4' must be float32 or bfloat16"),
        (["--device", "tpu"], "device='tpu' is not available on this machine"),
        (["--budget", "soon"], "budget='soon' must be a time such as 90s, 30m or 2h"),
        (["--shifts", "tunnel"], "shift 'tunnel' is unknown"),
        (["--train-on", "all"], "shift 'all' is unknown"),
        (["--protocol", "mine"], "protocol='mine' is unknown"),
        (["--protocol", "esc50-norms-2022"], "--[a-z-]+ is set by --protocol"),
    ],
)
def test_wrong_settings_are_refused(arguments: list[str], message: str, table: Path, tmp_path: Path) -> None:
    """A setting that does not exist or breaks its rule is misuse: exit code 2, one line, and nothing trained."""
    result = CliRunner().invoke(app, ["compare", str(table), "-o", str(tmp_path), *SMALL, *arguments])
    assert result.exit_code == 2, result.output
    (line,) = messages(result.stderr)
    assert re.search(message, line), line
    assert not (tmp_path / "results.jsonl").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[arms]]\n", "'arms' is unknown"),
        ('[[arm]]\nname = "a"\nnormalise = "band"\n', "an arm has no 'normalise'"),
        ('[[arm]]\nnormalize = "band"\n', "each arm needs a name"),
        ('[[arm]]\nname = "a"\nnormalize = {kind = "standardize", by = "band"}\n', "has no setting by"),
        ('[[arm]]\nname = "a"\naugment = ["blur"]\n', "augment.kind=.blur. must be one of"),
        ('[[arm]]\nname = "a"\naugment = ["random_crop"]\n', "a setting is missing"),
        ('[factors]\nnormalize = "band"\n', "factors must be a table of lists"),
        ("[[arm]\n", "cannot be read as arms"),
        ('[[arm]]\nname = "a"\n[[arm]]\nname = "b"\nmean_of = ["a", "c"]\n', "must be a list of two or more arms"),
        ('[[arm]]\nname = "a"\n[[arm]]\nname = "b"\nmean_of = ["a", 1]\n', "arms before it: a$"),
        ('[[arm]]\nname = "b"\nmean_of = ["b", "b"]\nmembers = 2\n', "has mean_of and members"),
    ],
)
def test_a_wrong_file_of_arms_is_refused(text: str, message: str, tmp_path: Path) -> None:
    """Each mistake in a file of arms is named together with the file."""
    file = tmp_path / "arms.toml"
    file.write_text(text)
    with pytest.raises(sn.errors.ArgumentError, match=message) as caught:
        parse_arms(str(file), FRONT_END)
    assert str(caught.value).startswith(str(file))


def test_without_torch_the_command_says_what_to_install(table: Path, tmp_path: Path) -> None:
    """One line with the pip command, not a traceback."""
    code = """
import sys, importlib.abc
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from spectronorm.cli import main
main()
"""
    command = [sys.executable, "-c", code, "compare", str(table), "-o", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (line,) = messages(done.stderr)
    assert line.startswith("spectronorm: Comparing normalizations by training needs an optional dependency")
    assert line.endswith('pip install ".[torch]"')


def test_bad_files_are_left_out_and_counted(table: Path, tmp_path: Path) -> None:
    """A broken file is no clip of the run, and too many of them end it."""
    folder = tmp_path / "clips"
    own = write_clips(folder, drowned=True, seed=0, clips=18)
    (folder / "004.wav").write_bytes(b"RIFF no")
    for index in range(18):
        (tmp_path / "none").mkdir(exist_ok=True)
        (tmp_path / "none" / f"{index:03d}.wav").write_bytes(b"RIFF no")
    (tmp_path / "none" / "clips.csv").write_text(own.read_text())
    with pytest.raises(sn.errors.SourceError, match="none of the 18 clips can be read"):
        prepared(tmp_path / "none" / "clips.csv", tmp_path / "c")
    with pytest.raises(sn.errors.TooManyBad, match="1 of 18 files is bad"):
        prepared(own, tmp_path / "a")
    lines = ["compare", own, "-o", tmp_path / "b", "--max-bad", "10%", "--arms", "none,band", "--epochs", "1"]
    lines += ["--model", LINEAR, "--seeds", "1", *SMALL]
    result = CliRunner().invoke(app, [str(item) for item in lines])
    assert result.exit_code == 0, result.output
    assert "left out 004.wav: " in result.stderr
    assert "tested on 17 clips of 17 recordings" in result.stdout


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_diverged_training_is_said(precision: str, table: Path, tmp_path: Path) -> None:
    """A model whose outputs are not finite ends the run with advice instead of entering the results."""
    lines = [
        "compare",
        table,
        "-o",
        tmp_path,
        "--arms",
        "none,band",
        "--model",
        LINEAR,
        "--learning-rate",
        "1e12",
        "--precision",
        precision,
        *SMALL,
    ]
    result = CliRunner().invoke(app, [str(item) for item in lines])
    assert result.exit_code == 2
    assert "training diverged" in result.stderr
    assert ("use precision='float32'" in result.stderr) == (precision == "bfloat16")
    assert not (tmp_path / "results.jsonl").exists()


def test_times_are_read() -> None:
    """Seconds, minutes and hours."""
    assert [parse_time(text) for text in ("90s", "30m", "1.5h")] == [90, 1800, 5400]


def test_the_post_s_protocol_is_as_it_was() -> None:
    """Fold 1, five runs, xResNet18, 20 epochs of batches of 64; only its none lacks waveform normalization."""
    protocol = find_protocol("esc50-norms-2022")
    assert protocol.hold_out == ("1",)
    assert protocol.design.seeds == 5
    assert protocol.design.training == Training("xresnet18", 20, 64, 1e-3)
    levels = {arm.name: type(arm.front_end.level) for arm in protocol.design.arms}
    assert levels == {
        "none": sn.waveform.AsRecorded,
        "global": sn.waveform.StandardizeWaveform,
        "channel": sn.waveform.StandardizeWaveform,
    }
    assert protocol.design.arms[1].front_end == sn.preset("fastaudio")
    fair = find_protocol("esc50-norms-2022-all-folds")
    assert {arm.front_end for arm in fair.design.arms} == {sn.preset("fastaudio")}
    assert fair.hold_out == ()
