"""`spectronorm presets` and `spectronorm explain` say what there is and how two things differ."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.explain import explain, probe
from spectronorm.front_end import PRESETS

RUN = CliRunner().invoke


def test_equal_things_do_not_differ() -> None:
    """A front end against itself: nothing differs, every cell is equal."""
    explanation = explain(sn.preset("panns"), sn.preset("panns"))
    assert explanation.differences == ()
    assert explanation.measured[-1] == "every cell is equal"


@pytest.mark.parametrize("a", sorted(PRESETS))
def test_every_pair_is_explained(a: str) -> None:
    """Each setting that differs between two presets comes with its values and a sentence."""
    short = probe()[:24_000]
    for b in PRESETS:
        explanation = explain(sn.preset(a), sn.preset(b), short, 48_000)
        assert bool(explanation.differences) == (sn.preset(a) != sn.preset(b))
        for difference in explanation.differences:
            assert difference.here != difference.there
            assert len(difference.effect) > 20
        assert all("nan" not in sentence for sentence in explanation.measured)


def test_a_constant_apart_is_recognized() -> None:
    """Decibels with another reference: here = 1 x there + 20 dB, and a normalizer takes it out."""
    plain = sn.FrontEnd()
    other = dataclasses.replace(plain, compress=sn.Decibel(amin=1e-12, ref=0.01))
    measured = explain(other, dataclasses.replace(plain, compress=sn.Decibel(amin=1e-12))).measured
    assert "here minus there: +20.000 on average" in measured[2]
    assert "here = 1.0000 x there +20.000" in measured[3]
    assert "take the difference out" in measured[3]


def test_the_window_sentence_holds_on_a_tone() -> None:
    """The decibels that a window is said to cost a steady tone are what the front ends give."""
    one = sn.FrontEnd(stft=sn.STFT(512, hop_length=128, window="hann"))
    two = sn.FrontEnd(stft=sn.STFT(512, hop_length=128, window="povey"))
    effect = next(d.effect for d in explain(one, two).differences if d.setting == "stft.window")
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    told = float(effect.split("comes out ")[1].split(" dB")[0])
    assert (one(tone)[32, 60] - two(tone)[32, 60]) == pytest.approx(told, abs=0.02)


def test_pipelines_differ_by_their_normalizer() -> None:
    """Two pipelines with one front end: the normalizer's numbers are named, and the measured map is theirs."""
    front_end = sn.preset("passt")
    one, two = (sn.Pipeline(front_end, sn.Fixed(*f).for_front_end(front_end)) for f in ((-4.5, 5.0), (-9.5, 10.0)))
    explanation = explain(one, two)
    assert [d.setting for d in explanation.differences] == ["normalizer", "normalizer.shift", "normalizer.scale"]
    assert "here = 2.0000 x there -1.000" in explanation.measured[3]


def test_presets_command_lists_all() -> None:
    """Every preset is listed with its source, and as JSON it can be built again."""
    text = RUN(app, ["presets"])
    assert text.exit_code == 0
    for name, preset in PRESETS.items():
        assert name in text.stdout
        assert preset.source in text.stdout
    listed = json.loads(RUN(app, ["presets", "--json"]).stdout)
    assert {name: sn.FrontEnd.from_dict(entry["front_end"]) for name, entry in listed.items()} == {
        name: preset.front_end for name, preset in PRESETS.items()
    }
    one = RUN(app, ["presets", "ast"]).stdout
    assert "0.467" in one
    assert "hann_symmetric" in one
    assert "preemphasis=0.97" in one


def test_explain_command(tmp_path: Path, write) -> None:
    """Presets, JSON files and saved pipelines can be explained, in text and in JSON, on a sound of one's own."""
    (tmp_path / "mine.json").write_text(sn.FrontEnd(16_000, bands=sn.Mel(64)).to_json())
    sn.published("ast").save(tmp_path / "ast.safetensors")
    sound = write("noise.wav", 0.1 * np.random.default_rng(0).standard_normal(20_000))
    text = RUN(app, ["explain", "kaldi", str(tmp_path / "mine.json"), "--audio", str(sound)])
    assert text.exit_code == 0
    assert "stft.window: povey here, hann there" in text.stdout
    plain = RUN(app, ["explain", "ast", str(tmp_path / "ast.safetensors"), "--json"])
    settings = [d["setting"] for d in json.loads(plain.stdout)["differences"]]
    assert settings == ["normalizer", "normalizer.shift", "normalizer.scale"]
    same = RUN(app, ["explain", "ast", "ast"])
    assert "ast and ast have the same settings" in same.stdout


def test_explain_refuses_what_is_nothing() -> None:
    """A name that is neither preset nor file is misuse, said in one line with the presets."""
    result = RUN(app, ["explain", "librosa", "nothing"])
    assert result.exit_code == 2
    assert "neither a file nor a preset" in result.stderr
    assert RUN(app, ["presets", "nothing"]).exit_code == 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--preset", "kaldi", "--n-mels", "80"], {"n_mels": 80}),
        (["--bands", "gammatone", "--n-bands", "32"], {"n_bands": 32}),
        (["--n-bands", "32", "--f-min", "80"], {"n_bands": 32, "f_min": 80.0}),
        (["--compress", "pcen", "--gain", "0.9", "--b", "0.05"], {"gain": 0.9, "b": 0.05}),
        (["--exponent", "0.5"], {"exponent": 0.5}),
        (["--compress", "ln", "--amin", "1e-5"], {"amin": 1e-5}),
        (["--level", "loudness", "--lufs", "-20", "--max-bad", "50%"], {"lufs": -20.0}),
        (["--level", "peak", "--dbfs", "-3"], {"dbfs": -3.0}),
        (["--preemphasis", "0.97", "--remove-dc-offset", "--frame-by", "win_length"], {"preemphasis": 0.97}),
    ],
)
def test_new_settings_are_options(options: list[str], expected: dict[str, object], noise_folder, tmp_path) -> None:
    """What the front ends gained can be set on the command line."""
    output = tmp_path / "p.safetensors"
    result = RUN(app, ["fit", str(noise_folder), "-o", str(output), *options])
    assert result.exit_code == 0, result.output
    plain = sn.load(output).front_end.to_dict()
    settings = plain["level"] | plain["stft"] | plain["bands"] | plain["compress"]
    assert {name: settings[name] for name in expected} == expected


def test_an_option_of_another_kind_is_misuse(noise_folder, tmp_path) -> None:
    """An option that the chosen kind does not have says which kinds do."""
    result = RUN(app, ["fit", str(noise_folder), "-o", str(tmp_path / "p"), "--compress", "root", "--b", "0.1"])
    assert result.exit_code == 2
    assert "--b belongs to --compress pcen" in result.stderr
