"""Values are told in a notebook by a short line and a small table, whatever they hold."""

from __future__ import annotations

import base64
import dataclasses
import inspect
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.html_summary import MOST_HTML_BYTES, band_svg, html_columns, html_table
from spectronorm.short_repr import MOST_CHARACTERS, shortened

NAMESPACES = ("audio", "engines", "front_end", "images", "normalize", "passes", "profile", "sounds", "audit", "augment")
LONG = ("Mapping", "dict[", "NDArray", "Floats", "Integers", "list[")
ODD = "<b>x</b>\u202e\n" * 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve clips with long names and columns."""
    folder = tmp_path_factory.mktemp("clips")
    rows = ["path,fold,label"]
    for number in range(12):
        name = f"{'long-name-' * 15}{number}.wav"
        soundfile.write(folder / name, 0.1 * np.random.default_rng(number).standard_normal(4000), 8000)
        rows.append(f"{name},{number % 5 + 1},{'<script>alert(1)</script>' * 4}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n")
    return folder


def values(folder: Path) -> list[object]:
    """Return one value of each kind that a notebook meets."""
    source = sn.open_source(folder / "clips.csv")
    front_end = sn.FrontEnd(sample_rate=8000, bands=sn.Mel(32), level=sn.waveform.PeakLevel(-3.0))
    profile = sn.fit(source, front_end)
    fitted = sn.Standardize(per="band").fit(profile)
    presets = [sn.preset(name) for name in sn.front_end.PRESETS]
    levels = sn.Levels(3, "dB", -100, 10, made_by="x" * 300)
    return [
        *presets,
        *(source, source.clips[0], front_end, profile, profile.band, profile.overall, profile.total),
        *(fitted, fitted.fitted_on, sn.Pipeline(front_end, fitted), sn.Meter(front_end), levels),
    ]


def test_a_value_is_told_in_a_line(folder: Path) -> None:
    """No value takes more than 200 characters."""
    for value in values(folder):
        assert len(repr(value)) <= MOST_CHARACTERS, type(value)


def test_a_table_is_small_and_escaped(folder: Path) -> None:
    """No table takes more than 8 kB, and nothing in it is markup of the data."""
    shown = [value._repr_html_() for value in values(folder) if hasattr(value, "_repr_html_")]
    assert len(shown) > 5
    for html in shown:
        assert len(html.encode()) <= MOST_HTML_BYTES
        assert "<script" not in html


def test_a_profile_says_what_was_measured(folder: Path) -> None:
    """The line holds the number of clips, the length, the bands, the figures and the folds."""
    profile = sn.fit(folder / "clips.csv", sn.FrontEnd(sample_rate=8000, bands=sn.Mel(32)))
    assert repr(profile).startswith("Profile(12 clips, 0.1 min, 32 bands, mean ")
    assert "fold 1, 2, 3, 4, 5" in repr(profile)
    assert "<svg" in profile._repr_html_()
    assert "<th>clips</th><td>12</td>" in profile._repr_html_()


def test_a_source_is_a_table_with_a_heading_for_each_column(folder: Path) -> None:
    """The columns of the table are those of the clips; what does not fit is counted."""
    html = sn.open_source(folder / "clips.csv")._repr_html_()
    assert all(f'<th scope="col">{name}</th>' in html for name in ("name", "fold", "label"))
    assert html.count("<td>") == 3 * 12
    assert "{" not in html
    many = sn.open_source([(np.zeros(800), 8000)] * 30)._repr_html_()
    assert "… and 10 more" in many


def test_only_settings_that_differ_are_told() -> None:
    """A front end is told by what differs from the defaults."""
    assert repr(sn.FrontEnd()) == "FrontEnd()"
    assert repr(sn.FrontEnd(sample_rate=8000, bands=sn.Mel(32))) == "FrontEnd(sample_rate=8000, bands=Mel(n_mels=32))"


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_public_values_with_arrays_are_told_shortly(namespace: str) -> None:
    """A public dataclass that holds arrays or mappings has a short line of its own."""
    module = getattr(sn, namespace)
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) and dataclasses.is_dataclass(value):
            long = any(word in str(field.type) for field in dataclasses.fields(value) for word in LONG)
            own = value.__repr__.__module__ == "spectronorm.short_repr" or "_facts" in vars(value) or name == "Source"
            assert own or not long, f"{namespace}.{name}"


@given(st.text(max_size=400), st.integers(3, 300))
def test_a_cut_text_fits(text: str, most: int) -> None:
    """A text that fits is unchanged, and any other is as long as asked."""
    assert shortened(text, most) == text if len(text) <= most else len(shortened(text, most)) == most


def test_odd_names_and_numbers_stay_text() -> None:
    """Markup, direction marks and endless tables are escaped and cut; bands that are all alike have a drawing."""
    html = html_table(ODD, [(ODD, ODD)] * 1000)
    assert "<b>" not in html
    assert len(html.encode()) <= MOST_HTML_BYTES * 2
    unreadable = html_columns("\u202e", ["name"], [["\udcff.wav"], ["a\nb"]], 2)
    assert "\u202e" not in unreadable
    assert r"\xff.wav" in unreadable
    assert "nan" not in band_svg(np.zeros(64), np.zeros(64), "dB")
    assert len(band_svg(np.random.default_rng(0).normal(size=4000), np.ones(4000), "dB").encode()) <= MOST_HTML_BYTES


@pytest.fixture(scope="module")
def measured(folder: Path) -> sn.Profile:
    """The clips' profile."""
    return sn.fit(folder / "clips.csv", sn.FrontEnd(sample_rate=8000, bands=sn.Mel(32)))


def test_a_spectrogram_is_drawn_in_hz_and_seconds(measured: sn.Profile) -> None:
    """Axes are in Hz and seconds, end where the clip ends, and the colour bar has the level's unit."""
    pytest.importorskip("matplotlib")
    front_end = measured.front_end
    level = front_end(np.random.default_rng(0).standard_normal(8000))
    axes = sn.plot(level, front_end)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time (s)", "frequency (Hz)")
    assert axes.get_xlim()[1] == pytest.approx(level.shape[1] * front_end.stft.hop / 8000)
    drawn = [float(label.get_text()) for label in axes.get_yticklabels()]
    hz = np.asarray(front_end.band_hz())
    assert drawn == [float(f"{hz[int(tick)]:.0f}") for tick in axes.get_yticks()]
    assert axes.figure.axes[-1].get_ylabel() == front_end.unit
    np.testing.assert_array_equal(axes.images[0].get_array(), level)
    assert sn.plot(level).get_ylabel() == "band"
    assert sn.plot(level[None], ax=axes) is axes


def test_levels_and_waves_are_drawn(measured: sn.Profile) -> None:
    """Levels of one's own have their frame rate; a wave's envelope holds its extremes, channel by channel."""
    pytest.importorskip("matplotlib")
    levels = sn.Levels(3, "dB", -100, 10, frame_rate=50.0)
    assert sn.plot(np.zeros((3, 100)), levels).get_xlim()[1] == pytest.approx(2.0)
    wave = np.zeros((2, 100_000))
    wave[0, 77_777], wave[1, 5] = 0.9, -0.8
    axes = sn.plot_wave(wave, 8000)
    low, high = axes.dataLim.intervaly
    assert (low, high) == pytest.approx((-0.8, 0.9))
    assert len(axes.collections) == 2


@pytest.mark.parametrize("shape", [(3,), (2, 32, 5), (0, 5), (31, 5)])
def test_other_shapes_are_not_drawn(measured: sn.Profile, shape: tuple[int, ...]) -> None:
    """A level of other axes or bands is one error that says what is needed."""
    pytest.importorskip("matplotlib")
    with pytest.raises(sn.errors.ShapeError):
        sn.plot(np.zeros(shape), measured.front_end)


def test_a_clip_under_four_normalizations(folder: Path, measured: sn.Profile) -> None:
    """Each picture is the clip under its normalizer, and names beyond are refused."""
    pytest.importorskip("matplotlib")
    clip = next(folder.glob("*.wav"))
    figure = sn.compare_normalizations(clip, measured)
    level = measured.front_end(sn.read(clip, 8000))
    pictures = [axes for axes in figure.axes if axes.images and axes.get_xlabel()]
    for axes, name in zip(pictures, ("none", "global", "band", "clip"), strict=True):
        np.testing.assert_allclose(axes.images[0].get_array(), sn.normalizer(name).fit(measured)(level), rtol=1e-6)
    with pytest.raises(sn.SpectronormError):
        sn.compare_normalizations(clip, measured, ["no-such-normalizer"])
    with pytest.raises(sn.errors.ArgumentError):
        sn.compare_normalizations(clip, measured, [])


def test_the_command_draws_a_picture(folder: Path, measured: sn.Profile, tmp_path: Path) -> None:
    """`plot` writes a PNG, and refuses another suffix and a file that is not its own."""
    pytest.importorskip("matplotlib")
    measured.save(tmp_path / "p.safetensors")
    clip = str(next(folder.glob("*.wav")))
    arguments = ["plot", clip, "-p", str(tmp_path / "p.safetensors"), "-o"]
    result = CliRunner().invoke(app, [*arguments, str(tmp_path / "clip.png")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "clip.png").read_bytes().startswith(b"\x89PNG")
    assert CliRunner().invoke(app, [*arguments, str(tmp_path / "clip.gif")]).exit_code == 2
    (tmp_path / "mine.png").write_bytes(b"mine")
    assert CliRunner().invoke(app, [*arguments, str(tmp_path / "mine.png")]).exit_code == 2
    assert (tmp_path / "mine.png").read_bytes() == b"mine"


def test_a_player_holds_the_sound() -> None:
    """The page plays the samples; a loud wave is made quieter and says so, and a quiet one stays as it is."""
    wave = 0.25 * np.sin(np.arange(8000) / 10)
    heard, rate = soundfile.read(io.BytesIO(sn.play(wave, 8000).wav()))
    assert rate == 8000
    np.testing.assert_allclose(heard, wave, atol=2**-15)
    assert "<audio controls" in sn.play(wave, 8000)._repr_html_()
    loud = sn.play(8 * wave, 8000)
    assert loud.scaled == pytest.approx(0.5, rel=1e-3)
    assert "-6.0 dB" in loud._repr_html_()
    for bad, rate in (([], 8000), (wave, 10), (np.full(10, np.nan), 8000), (np.zeros(8000 * 61), 8000)):
        with pytest.raises(sn.SpectronormError):
            sn.play(bad, rate)


def test_a_profile_is_drawn_by_band(measured: sn.Profile) -> None:
    """Lines are the bands' means, the axis has their frequencies, and given axes are used."""
    pytest.importorskip("matplotlib")
    axes = measured.plot()
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), measured.band.mean)
    assert axes.get_ylabel() == f"level ({measured.front_end.unit})"
    floors = axes.figure.axes[-1]
    assert "Hz" in floors.get_xticklabels()[0].get_text()
    assert measured.plot(ax=floors) is floors


CELLS = (
    "import spectronorm as sn\nprofile = sn.fit('clips.csv', sn.FrontEnd(8000, bands=sn.Mel(32)))\nprofile",
    "profile.plot()",
    "wave = sn.read(sorted(__import__('pathlib').Path('.').glob('*.wav'))[0], 8000)\nsn.play(wave, 8000)",
    "sn.plot(profile.front_end(wave), profile.front_end)",
    "sn.plot_wave(wave, 8000)",
    "sn.compare_normalizations(wave, profile)",
    "sn.open_source('clips.csv')",
    "sn.Pipeline(profile.front_end, sn.Standardize().fit(profile))",
)
"""Cells of a notebook, each of which ends in something to look at."""


def test_a_notebook_runs_and_shows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel runs the cells; pictures come as PNG, tables and players as HTML, and nothing floods the page."""
    monkeypatch.setenv("PYTHONPATH", str(Path(sn.__file__).parents[1]))
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("matplotlib_inline")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    shown = [[output["data"] for output in cell.outputs if "data" in output] for cell in notebook.cells]
    assert [len(one) for one in shown] == [1] * len(CELLS)
    pictures, tables = ["image/png"], ["text/html"]
    kinds = [*tables, *pictures, *tables, *pictures * 3, *tables * 2]
    assert [kind for kind, one in zip(kinds, shown, strict=True) if kind not in one[0]] == [], [
        list(one[0]) for one in shown
    ]
    for one in (one[0].get("image/png") for one in shown):
        if one is not None:
            pixels = np.asarray(pytest.importorskip("PIL.Image").open(io.BytesIO(base64.b64decode(one))).convert("L"))
            assert pixels.std() > 20  # something is drawn
            edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
            assert (edges == 255).all()  # and nothing of it is cut off
    assert "<audio controls" in shown[2][0]["text/html"]
    assert len(shown[0][0]["text/html"].encode()) <= MOST_HTML_BYTES
