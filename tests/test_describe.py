"""A described profile, pipeline, image and file of statistics says everything that was done, in three forms."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xxhash
from PIL import Image
from typer.testing import CliRunner

import spectronorm as sn
from interop.cases import SAMPLES
from spectronorm.cli.app import app
from spectronorm.cli.command_line import _said
from spectronorm.image_files.picture import MADE_BY
from spectronorm.image_files.png import NOT_INVERTIBLE, encode_png, read_texts
from spectronorm.report.methods import citation, escaped_for, methods_paragraph
from spectronorm.storage import container


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "300"})


@pytest.fixture
def profile(noise_table: Path) -> sn.Profile:
    noise_table.write_text(noise_table.read_text() + "gone.wav,low,1,train\n")
    return sn.fit(noise_table, sn.FrontEnd(bands=sn.Mel(16)), max_bad=0.2)


def test_a_profile_says_every_setting_count_and_version(profile: sn.Profile) -> None:
    """Each field of each slot, the counts, the identity, groups, held-out groups, bad files and libraries are there."""
    held = profile.without(fold=1)
    text = methods_paragraph(held)
    for slot in ("level", "stft", "bands", "compress"):
        value = getattr(profile.front_end, slot)
        assert all(f"{f.name} = {getattr(value, f.name)}" in text for f in fields(value)), slot
    fitted = sn.Standardize().fit(held)
    for part in (
        profile.front_end.fingerprint,
        profile.front_end.resampler,
        f"{held.clips} clips",
        fitted.fitted_on.data,
        "fold 2, 3",
        "Left out were fold=1",
        f"{held.overall.mean:.4f} dB",
        sn.__version__,
        "soxr",
        "libsndfile",
    ):
        assert part in text, part
    assert "1 file was left out (1 missing): gone.wav." in methods_paragraph(profile)
    assert "\n" not in text


def test_libraries_are_saved_and_identify_nothing(profile: sn.Profile, tmp_path: Path) -> None:
    """Profiles and pipelines keep the libraries; a profile without them is equal; sums name both versions."""
    names = dict(profile.libraries)
    assert {"libsndfile", "soxr", "numpy", "scipy"} <= names.keys()
    assert "numba" not in names
    profile.save(tmp_path / "p")
    again = sn.Profile.load(tmp_path / "p")
    assert again.libraries == profile.libraries
    other = replace(profile, libraries=(("soxr", "0.0"),))
    assert other == profile
    assert dict((profile + other).libraries)["soxr"] == ", ".join(sorted(["0.0", names["soxr"]]))
    fitted = sn.Standardize().fit(profile)
    sn.Pipeline(profile.front_end, fitted).save(tmp_path / "q")
    assert sn.Pipeline.load(tmp_path / "q").normalizer.fitted_on.libraries == profile.libraries
    header, tensors = container.load_tensors(tmp_path / "p")
    for odd in ([], {"soxr": 1}, {str(i): "" for i in range(101)}):
        container.save_tensors(tmp_path / "odd", {**header, "libraries": odd}, tensors, overwrite=True)
        with pytest.raises(sn.errors.FileFormatError):
            sn.Profile.load(tmp_path / "odd")


def test_the_command_describes_what_it_is_given(profile: sn.Profile, tmp_path: Path) -> None:
    """Profiles, profiles with a normalizer, pipelines and statistics; files of nothing else are one error."""
    profile.save(tmp_path / "p")
    sn.Pipeline(profile.front_end, sn.MinMax().fit(profile)).save(tmp_path / "q")
    shutil.copy(SAMPLES / "hf_ast/preprocessor_config.json", tmp_path)
    assert "MinMax (per" in run("describe", tmp_path / "q").stdout
    assert "Standardize (per = band" in run("describe", tmp_path / "p", "--normalize", "band").stdout
    assert "Left out were fold=1" in run("describe", tmp_path / "p", "--hold-out", "fold=1").stdout
    assert "divisor is 2 standard deviations" in run("describe", tmp_path / "preprocessor_config.json").stdout
    found = json.loads(run("describe", tmp_path / "p", "--format", "latex", "--json").stdout)
    assert found["format"] == "latex"
    (tmp_path / "odd").write_text("x")
    assert run("describe", tmp_path / "odd").exit_code == 1
    assert run("describe", tmp_path / "p", "--format", "html").exit_code == 2
    assert run("describe", tmp_path / "q", "--hold-out", "fold=1").exit_code == 2


def test_the_command_that_made_a_file_is_recorded(noise_table: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """`fit` and `import` note their line, without what decides nothing, and `describe` repeats it."""
    monkeypatch.chdir(noise_table.parent)
    table = noise_table.name
    assert (
        run("fit", table, "-o", tmp_path / "p", "--n-mels", 16, "--no-center", "--workers", 1, "--json").exit_code == 0
    )
    profile = sn.Profile.load(tmp_path / "p")
    assert profile.commands == (f"spectronorm fit {table} --no-center --n-mels 16",)
    assert f"The command was: {profile.commands[0]}." in run("describe", tmp_path / "p").stdout
    assert f"`{profile.commands[0]}`" in run("describe", tmp_path / "p", "--format", "markdown").stdout
    assert r"-{}-no-center -{}-n-mels 16}" in run("describe", tmp_path / "p", "--format", "latex").stdout
    assert sn.Standardize().fit(profile).fitted_on.commands == profile.commands
    assert run("fit", noise_table, "-o", tmp_path / "q", "--n-mels", 16, "--no-center").exit_code == 0
    other = sn.Profile.load(tmp_path / "q")
    assert other.commands == (f"spectronorm fit .../{table} --no-center --n-mels 16",)
    assert other == profile
    assert (profile + other).commands == tuple(sorted(profile.commands + other.commands))
    shutil.copy(SAMPLES / "hf_ast/preprocessor_config.json", noise_table.parent)
    assert run("import", "preprocessor_config.json", "--preset", "ast", "-o", tmp_path / "i").exit_code == 0
    assert (
        "The command was: spectronorm import preprocessor_config.json --preset ast."
        in run("describe", tmp_path / "i").stdout
    )
    assert sn.fit(noise_table, sn.FrontEnd()).commands == ()


def test_a_noted_command_tells_no_secret() -> None:
    """Of a URL neither user nor query is noted."""
    assert _said("https://me:word@host/a/b.tar?token=1#x") == "https://host/a/b.tar"
    assert _said("s3://bucket/key") == "s3://bucket/key"
    assert (_said("/home/me/sounds/"), _said("../sounds"), _said(0.1)) == (".../sounds", "../sounds", "0.1")


def test_files_are_listed_by_choice_with_the_digests_of_their_bytes(noise_table: Path, tmp_path: Path) -> None:
    """The list has the good files of each group, survives saving, leaving out, adding up and resuming, in any order."""
    folder = noise_table.parent
    noise_table.write_text(noise_table.read_text() + "gone.wav,low,1,train\n")
    front_end = sn.FrontEnd(bands=sn.Mel(16))
    made = {"list_files": True, "max_bad": 0.2}
    profile = sn.fit(noise_table, front_end, **made, output=tmp_path / "p")
    again = sn.fit(noise_table, front_end, **made, engine=sn.engines.ThreadEngine(2))
    assert sn.Profile.load(tmp_path / "p").files == profile.files == again.files
    assert len(profile.files) == profile.clips
    for one in profile.files:
        assert one.digest == xxhash.xxh3_128_hexdigest((folder / one.path).read_bytes())
    held = profile.without(fold=1)
    assert 0 < len(held.files) == held.clips < profile.clips
    assert sorted((held + profile.only(fold=1)).files) == sorted(profile.files)
    unlisted = sn.fit(noise_table, front_end, max_bad=0.2)
    assert unlisted.files == (profile + unlisted).files == ()
    assert unlisted == profile
    lines = run("describe", tmp_path / "p", "--files").stdout.splitlines()
    assert sorted(lines) == sorted(f"{one.digest}  {one.path}" for one in profile.files)
    assert f"lists the {profile.clips} measured clips" in run("describe", tmp_path / "p").stdout
    assert run("describe", tmp_path / "p", "--files", "--format", "latex").stdout.count(r" \\") == profile.clips + 1
    unlisted.save(tmp_path / "u")
    assert run("describe", tmp_path / "u", "--files").exit_code == 2


def test_a_damaged_list_of_files_is_refused(noise_table: Path, tmp_path: Path) -> None:
    """Names, digests and numbers of files that contradict each other are one error."""
    profile = sn.fit(noise_table, sn.FrontEnd(bands=sn.Mel(4)), list_files=True)
    header, tensors = profile.to_container()
    names, digests = tensors["file_names"], tensors["file_digests"]
    odd = [
        ({**header, "files": [1]}, tensors),
        ({**header, "files": [*header["files"][:-1], -1]}, tensors),
        ({**header, "files": None}, tensors),
        (header, {**tensors, "file_digests": digests[1:]}),
        (header, {**tensors, "file_digests": digests.astype(int)}),
        (header, {**tensors, "file_names": names[:-1]}),
        (header, {**tensors, "file_names": np.frombuffer(b"[" + b"1," * 40 + b"1]", np.uint8)}),
        ({**header, "commands": "fit"}, tensors),
        ({**header, "commands": [1]}, tensors),
    ]
    for changed in odd:
        container.save_tensors(tmp_path / "odd", *changed, overwrite=True)
        with pytest.raises(sn.errors.FileFormatError):
            sn.Profile.load(tmp_path / "odd")


def test_updates_are_described(profile: sn.Profile) -> None:
    """A profile that was moved towards later audio says by what and how far."""
    record = {"generation": 1, "clips": 20, "weight": 0.25, "why": "level-change of -6.0 dB"}
    told = methods_paragraph(profile, updates=[record])
    assert "Update 1 moved the statistics towards 20 clips of later audio, with a weight of 0.25 (level-change" in told


def test_an_image_is_described(noise_table: Path, tmp_path: Path) -> None:
    """An exported image names its front end, range, bits and source."""
    assert run("fit", noise_table, "-o", tmp_path / "p", "--n-mels", 16).exit_code == 0
    done = run("images", noise_table, "-p", tmp_path / "p", "-o", tmp_path / "images")
    assert done.exit_code == 0, done.output
    picture = next(path for path in (tmp_path / "images").rglob("*.png") if path.parent.name in ("low", "high"))
    text = run("describe", picture).stdout
    assert "image of 8 bits" in text
    assert "The command was: spectronorm images" in text
    assert "-o" not in text.split("The command was:")[1]
    assert str(tmp_path) not in text
    assert "n_mels = 16" in text


def test_a_coloured_picture_is_described(noise_table: Path, tmp_path: Path) -> None:
    """A coloured picture says how it was made, until its pixels or its header are changed."""
    pytest.importorskip("matplotlib")
    run("fit", noise_table, "-o", tmp_path / "p")
    colours = ("--colormap", "viridis", "-o", tmp_path / "pictures")
    assert run("images", noise_table, "-p", tmp_path / "p", *colours).exit_code == 0
    path = next((tmp_path / "pictures" / "low").rglob("*.png"))
    text = run("describe", path).stdout
    assert "in the colours of viridis, for viewing: it cannot be turned back" in text
    assert "The command was: spectronorm images" in text
    assert "--colormap viridis" in text
    texts, pixels = read_texts(path), np.asarray(Image.open(path)).copy()
    colours_of = np.zeros((256, 3), np.uint8)
    said = texts[MADE_BY]
    for changed, header in ((pixels ^ 1, said), (pixels, said.replace("--colormap", "--colourmap"))):
        (tmp_path / "x.png").write_bytes(encode_png(changed, NOT_INVERTIBLE, "", colours_of, {MADE_BY: header}))
        done = run("describe", tmp_path / "x.png")
        assert (done.exit_code, "export" in done.output or "original" in done.output) == (1, True)
    (tmp_path / "x.png").write_bytes(encode_png(pixels, NOT_INVERTIBLE, "a sheet", colours_of))
    assert "does not say how it was made" in run("describe", tmp_path / "x.png").output


def test_marks_of_markdown_and_latex_are_escaped(profile: sn.Profile) -> None:
    """Nothing in a paragraph is taken as markup; LaTeX is plain ASCII."""
    assert escaped_for("a_b 5 % {x} \\ ~", "latex") == r"a\_b 5 \% \{x\} \textbackslash{} \textasciitilde{}"
    assert escaped_for("a_b *c* `d`", "markdown") == r"a\_b \*c\* \`d\`"
    latex = methods_paragraph(profile, "latex")
    assert not re.search(r"(?<!\\)[%&#_]", latex)
    latex.encode("ascii")


def test_the_citation_is_bibtex_of_this_version() -> None:
    """One entry with balanced braces, the version and an author; `cite` prints it."""
    text = citation()
    assert text.startswith("@software{spectronorm,")
    assert text.count("{") == text.count("}")
    assert sn.__version__ in text
    assert run("cite").stdout.strip() == text
