"""Statistics of other programs: recognized, applied as their origin does, written back, and never run."""

from __future__ import annotations

import json
import os
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from benchmarks.statistics_round_trip import table

import spectronorm as sn
from interop.cases import BANDS, MEAN, SAMPLE_FILES, SAMPLES, STD, Sample, front_end, levels
from spectronorm.errors import FileFormatError, FrontEndMismatch, SpectronormError
from spectronorm.interop.statistics import STATISTICS_FORMATS, read_numbers, read_statistics, write_statistics
from spectronorm.interop.statistics.read_file import KeyNeeded
from spectronorm.interop.statistics.statistics_format import ShiftAndScale

IDS = [sample.file for sample in SAMPLE_FILES]
MEMORY = 64 << 20
MUTATIONS = int(os.environ.get("SPECTRONORM_MUTATIONS", "100"))
each_sample = pytest.mark.parametrize("sample", SAMPLE_FILES, ids=IDS)
FILES = sorted({sample.format for sample in SAMPLE_FILES})


def test_every_format_has_a_sample() -> None:
    """Each registered format is tested on a sample."""
    assert sorted(STATISTICS_FORMATS) == FILES


@each_sample
def test_a_sample_is_recognized_by_its_own_format_alone(sample: Sample) -> None:
    """Exactly one format recognizes each sample."""
    found = []
    for name, cls in STATISTICS_FORMATS.classes().items():
        try:
            found += [name] if cls().recognizes(sample.path) else []
        except (ValueError, LookupError, OSError):
            continue
    assert found == [sample.format]


@each_sample
def test_a_sample_is_applied_as_its_origin_applies_it(sample: Sample) -> None:
    """A level gets `(x - mean) / divisor` of the origin within 1e-6, or float32's precision for torch files."""
    fe = front_end(sample)
    fitted = read_statistics(sample.path, fe)
    x = levels(fe.n_bands)
    expected = (x - sample.mean[:, None]) / sample.divisor[:, None]
    np.testing.assert_allclose(fitted(x), expected, atol=1e-6)
    assert fitted.normalizer.format == sample.format


@each_sample
def test_written_statistics_are_read_back(sample: Sample, tmp_path: Path) -> None:
    """Write and read give the same map, to rounding; a second round changes nothing but rounding."""
    fe = front_end(sample)
    fitted = read_statistics(sample.path, fe)
    path = tmp_path / f"again{STATISTICS_FORMATS.find(sample.format).suffix}"
    write_statistics(path, fitted, sample.format)
    again = read_statistics(path, fe)
    precision = 1e-7 if sample.format in ("speechbrain", "lhotse") else 1e-12
    np.testing.assert_allclose(again.affine.shift, fitted.affine.shift, rtol=precision)
    np.testing.assert_allclose(again.affine.scale, fitted.affine.scale, rtol=precision)
    assert again.normalizer.factor == fitted.normalizer.factor


@pytest.mark.parametrize("name", FILES)
def test_numbers_go_through_every_format(name: str, tmp_path: Path) -> None:
    """Numbers for each band survive every format within 1e-6 of a normalized value."""
    fe = sn.FrontEnd(16_000, bands=sn.Mel(BANDS))
    fitted = sn.Fixed(MEAN, STD).for_front_end(fe)
    path = tmp_path / f"x{STATISTICS_FORMATS.find(name).suffix}"
    lost = write_statistics(path, fitted, name)
    x = levels(BANDS)
    np.testing.assert_allclose(read_statistics(path, fe)(x), fitted(x), atol=1e-6)
    assert all(text.endswith(".") for text in lost)
    found, numbers = read_numbers(path)
    assert found == name
    assert (numbers.fingerprint == fe.fingerprint) is STATISTICS_FORMATS.find(name).marks


@pytest.mark.parametrize("name", [n for n in FILES if STATISTICS_FORMATS.find(n).marks])
def test_a_file_that_names_another_front_end_is_refused(name: str, tmp_path: Path) -> None:
    """A format with a place for the fingerprint keeps numbers from another front end."""
    fe = sn.FrontEnd(16_000, bands=sn.Mel(BANDS))
    path = tmp_path / f"x{STATISTICS_FORMATS.find(name).suffix}"
    write_statistics(path, sn.Fixed(MEAN, STD).for_front_end(fe), name)
    with pytest.raises(FrontEndMismatch, match="names the front end"):
        read_statistics(path, sn.FrontEnd(16_000, bands=sn.Mel(BANDS, mel_scale="htk")))


def test_sums_of_a_profile_add_up(noise_table: Path, tmp_path: Path) -> None:
    """Kaldi, WeNet and ESPnet hold a profile's sums: mean and std come back, and the count with them."""
    profile = sn.fit(noise_table, sn.FrontEnd(bands=sn.Mel(16)))
    for name in ("kaldi", "wenet", "espnet"):
        path = tmp_path / f"{name}{STATISTICS_FORMATS.find(name).suffix}"
        write_statistics(path, profile, name)
        _, numbers = read_numbers(path)
        assert numbers.count == profile.frames
        np.testing.assert_allclose(numbers.shift, profile.band.mean, rtol=1e-12)
        np.testing.assert_allclose(numbers.std, profile.band.std, rtol=1e-9)
    with pytest.raises(sn.errors.ArgumentError, match="needs a pipeline"):
        write_statistics(tmp_path / "x.json", profile, "hf")


def test_one_speaker_of_an_archive_is_chosen(tmp_path: Path) -> None:
    """An ark with speakers needs a key; all speakers added up are the whole."""
    text = (SAMPLES / "kaldi/cmvn_text.ark").read_text()
    (tmp_path / "text.ark").write_text(text + text.replace("spk1", "spk2"))
    for path in (SAMPLES / "kaldi/cmvn.ark", tmp_path / "text.ark"):
        with pytest.raises(sn.errors.ArgumentError, match="2 speakers \\(spk1, spk2\\)"):
            read_numbers(path)
        with pytest.raises(sn.errors.ArgumentError, match="no speaker 'spk3'; it has spk1, spk2"):
            read_numbers(path, key="spk3")
        name, one = read_numbers(path, key="spk1")
        assert name == "kaldi"
        np.testing.assert_allclose(one.shift, MEAN)
        _, both = read_numbers(path, key="*")
        assert both.count == one.count + read_numbers(path, key="spk2")[1].count
    with pytest.raises(sn.errors.ArgumentError, match="no key 'spk1'"):
        read_numbers(SAMPLES / "wenet/global_cmvn", key="spk1")


BAD = {
    "NaN": ("json", '{"mean": [NaN, 1], "std": [1, 1]}', "NaN is not a number"),
    "text for a number": ("json", '{"mean": ["1"], "std": [1]}', "mean must be numbers"),
    "negative std": ("json", '{"mean": [1, 2], "std": [1, -1]}', "band 1 has a negative standard deviation, -1"),
    "std of zero": ("json", '{"mean": [1, 2], "std": [1, 0]}', "the origin would divide by it"),
    "unequal numbers": ("json", '{"mean": [1, 2, 3], "std": [1, 2]}', "3 shifts and 2 scales"),
    "ragged": ("json", '{"mean": [[1, 2], [3]], "std": [1]}', "different lengths or depths"),
    "negative variance": ("wenet", '{"mean_stat": [10], "var_stat": [5], "frame_num": 10}', "negative variance"),
    "count of zero": ("wenet", '{"mean_stat": [0], "var_stat": [0], "frame_num": 0}', "the count of frames is 0"),
    "infinite": ("kaldi", " [\n 1 inf 2\n 3 4 0 ]\n", "NaN or infinity"),
    "three rows": ("kaldi", " [\n 1 2\n 3 0\n 4 5 ]\n", "must be \\(2, bands \\+ 1\\)"),
    "null": ("hf", '{"feature_extractor_type": "x", "per_bin_mean": null, "per_bin_stddev": null}', "has no numbers"),
    "not applied": (
        "hf",
        '{"feature_extractor_type": "x", "mean": 1, "std": 1, "do_normalize": false}',
        "applies no numbers",
    ),
    "two lists": ("nemo", "fixed_mean: [1]\nfixed_mean: [2]\nfixed_std: [1]\n", "has 2 lists fixed_mean"),
}


@pytest.mark.parametrize(("name", "text", "message"), BAD.values(), ids=BAD)
def test_odd_numbers_are_one_clear_error(name: str, text: str, message: str, tmp_path: Path) -> None:
    """Numbers that no map can have are refused with the reason."""
    path = tmp_path / f"x{STATISTICS_FORMATS.find(name).suffix}"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=message):
        read_numbers(path, name)


def test_numbers_that_do_not_fit_the_front_end_are_refused(tmp_path: Path, noise_table: Path) -> None:
    """Stacked frames, another number of bands and another rate are told apart; unknown formats are listed."""
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"mean": [0.0] * 560, "std": [1.0] * 560}))
    with pytest.raises(sn.errors.ArgumentError, match="560 numbers, which are of 7 stacked frames of 80 bands"):
        read_statistics(path, sn.FrontEnd(bands=sn.Mel(80)))
    with pytest.raises(sn.errors.ArgumentError, match="560 numbers, but the front end has 64 bands"):
        read_statistics(path, sn.FrontEnd(bands=sn.Mel(64)))
    ast = SAMPLES / "hf_ast/preprocessor_config.json"
    with pytest.raises(sn.errors.ArgumentError, match="its sample rate is 16000, but the front end's is 22050"):
        read_statistics(ast, sn.FrontEnd(22_050, bands=sn.Mel(128)))
    with pytest.raises(sn.errors.ArgumentError, match="its number of bands is 128"):
        read_statistics(ast, sn.FrontEnd(16_000, bands=sn.Mel(64)))
    with pytest.raises(sn.errors.ArgumentError, match="'htk' is unknown; it must be one of hf, kaldi"):
        read_statistics(path, sn.FrontEnd(), "htk")
    with pytest.raises(FileFormatError, match="no format recognizes it"):
        read_statistics(SAMPLES / "kaldi/cmvn.scp", sn.FrontEnd())
    with pytest.raises(sn.errors.ArgumentError, match="finds a map in each clip"):
        write_statistics(path, sn.normalizer("clip").fit(sn.fit(noise_table, sn.FrontEnd())), "json")


def test_a_floored_variance_is_told(tmp_path: Path) -> None:
    """A band without variance gets the origin's floor, and a note names it."""
    path = tmp_path / "x.json"
    path.write_text('{"mean_stat": [20, 10], "var_stat": [40, 10.5], "frame_num": 10}')
    _, numbers = read_numbers(path)
    np.testing.assert_allclose(numbers.scale, [1e-10, np.sqrt(0.05)])
    assert numbers.notes == ("the standard deviation of band 0 is below 1e-10 and is raised to it, as its origin does",)


def test_a_file_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    """An export replaces what names spectronorm, and nothing else without overwrite."""
    fitted = sn.Fixed(0.0, 1.0).for_front_end(sn.FrontEnd())
    path = tmp_path / "x.json"
    path.write_text('{"mean": 1}')
    with pytest.raises(sn.errors.OutputRefused):
        write_statistics(path, fitted, "json")
    write_statistics(path, fitted, "json", overwrite=True)
    write_statistics(path, fitted, "json")


@pytest.mark.real_data
def test_esc10_goes_through_every_format(esc10: Path, tmp_path: Path) -> None:
    """ESC-10's own statistics of AST's features, through every format and back: equal features within 1e-6."""
    front_end = sn.preset("ast")
    profile = sn.fit(esc10, front_end, group_by=[])
    sounds = sorted((esc10 / "audio").iterdir())[::100]
    head, *rows = table(profile, [front_end(sn.read(sound, 16_000)) for sound in sounds])
    differences = {(row[0], kind): row[1 + k] for row in rows for k, kind in enumerate(head[1:]) if row[1 + k] != "-"}
    assert len(rows) == len(STATISTICS_FORMATS.classes())
    assert len(differences) >= 2 * len(rows) + 3
    assert {one: found for one, found in differences.items() if float(found) > 1e-6} == {}


# ---- hostile files -------------------------------------------------------------------------------------------------


def read_bounded(path: Path, name: str | None) -> None:
    """Read a file, by its format's name or by being recognized: numbers or one error of the family, within 64 MB."""
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        _, numbers = read_numbers(path, name)
    except (FileFormatError, KeyNeeded) as error:
        assert str(path) in str(error)  # noqa: PT017
    else:
        assert np.isfinite(numbers.shift).all()
        assert (numbers.scale > 0).all()
    assert tracemalloc.get_traced_memory()[1] - before < MEMORY


@pytest.fixture
def traced():
    tracemalloc.start()
    yield
    tracemalloc.stop()


@each_sample
def test_every_prefix_and_mutation_gives_numbers_or_one_error(sample: Sample, tmp_path: Path, traced: None) -> None:
    """No prefix and no mutation crashes, hangs, or takes more than 64 MB; SPECTRONORM_MUTATIONS sets their number."""
    whole, path = sample.path.read_bytes(), tmp_path / sample.path.name
    rng = np.random.default_rng(0)
    step = max(1, len(whole) // max(MUTATIONS, 200))
    for end in range(0, len(whole), step):
        path.write_bytes(whole[:end])
        read_bounded(path, sample.format)
        if end % 4 == 1:
            read_bounded(path, None)
    for mutation in range(MUTATIONS):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 6)):
            at = int(rng.integers(0, len(data)))
            kind = rng.integers(0, 4)
            if kind == 0:
                data[at] = int(rng.integers(0, 256))
            elif kind == 1:
                data[at] ^= 1 << int(rng.integers(0, 8))
            elif kind == 2:
                del data[at : at + int(rng.integers(1, 9))]
            else:
                data[at:at] = rng.integers(0, 256, int(rng.integers(1, 9)), dtype=np.uint8).tobytes()
            if not data:
                break
        path.write_bytes(bytes(data))
        read_bounded(path, sample.format if mutation % 4 else None)


class RunsSystem:
    """A pickle that would run a command."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch ran",)


class RunsPrint:
    """A pickle that would call a built-in function."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("__import__('pathlib').Path('ran').touch()",)


class RunsState:
    """A pickle whose state would set what a method runs."""

    def __reduce__(self) -> tuple[object, tuple[object, ...], dict[str, object]]:
        return Path, ("ran",), {"touch": 1}


EVIL = [
    pickle.dumps({"norm_means": cls(), "norm_stds": [1.0]}, protocol)
    for cls in (RunsSystem, RunsPrint, RunsState)
    for protocol in range(6)
]


@pytest.mark.parametrize("data", EVIL, ids=range(len(EVIL)))
def test_evil_pickles_run_nothing(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickle that asks for a function is refused by name, bare and in a torch archive, and nothing runs."""
    monkeypatch.chdir(tmp_path)
    bare, archive = tmp_path / "x.pkl", tmp_path / "x.pt"
    bare.write_bytes(data)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("x/data.pkl", data)
    for path in (bare, archive):
        for name in ("lhotse", "speechbrain"):
            with pytest.raises(FileFormatError, match="run code|opcode|damaged|not a whole zip|Error"):
                read_numbers(path, name)
        with pytest.raises(FileFormatError):
            read_numbers(path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["x.pkl", "x.pt"]


def _deep(pairs: int) -> bytes:
    """A pickle of `pairs` lists that each hold the one before twice: 2^pairs values."""
    data = b"\x80\x02]"
    for index in range(pairs):
        data += b"q" + bytes([index]) + b"](" + b"h" + bytes([index]) + b"h" + bytes([index]) + b"e"
    return data + b"."


BOMBS = {
    "a memo of 2^27": b"\x80\x02]r\x00\x00\x00\x08.",
    "a memo of 2^30": b"\x80\x02]r\x00\x00\x00\x40.",
    "a byte array of 2^40": b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little") + b".",
    "values shared exponentially": _deep(15),
    "a list for each byte": b"\x80\x02" + b"]" * 400_000 + b".",
    "a list in itself": b"\x80\x02]q\x00h\x00a.",
    "nested tuples": b"\x80\x02)" + b"\x85" * 40_000 + b".",
    "a long number": b"I" + b"9" * 100_000 + b"\n.",
    "a persistent id": b"\x80\x02X\x01\x00\x00\x00aQ.",
    "an endless text": b"\x80\x02X\xff\xff\xff\x7fabc",
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_pickle_bombs_stay_small(data: bytes, tmp_path: Path, traced: None) -> None:
    """Pickles that exhaust the memory of Python's unpickler are refused within 64 MB."""
    path = tmp_path / "x.pkl"
    path.write_bytes(data)
    read_bounded(path, "lhotse")
    with pytest.raises(FileFormatError):
        read_numbers(path, "lhotse")


def _zip(path: Path, members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def test_archives_and_texts_that_unfold_stay_small(tmp_path: Path, traced: None) -> None:
    """Packed zeros, long directories, huge headers and deep JSON are refused within 64 MB."""
    zeros = b"\0" * (200 << 20)
    huge = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117)
        + b"\n"
    )
    cases = [
        (_zip(tmp_path / "zeros.npz", {"mean.npy": zeros, "std.npy": zeros}), "npz"),
        (_zip(tmp_path / "huge.npz", {"mean.npy": huge, "std.npy": huge}), "npz"),
        (_zip(tmp_path / "zeros.keras", {"config.json": zeros, "metadata.json": b"{}"}), "keras"),
        (_zip(tmp_path / "many.pt", {f"x/data/{i}": b"" for i in range(20_000)} | {"x/data.pkl": b"."}), "lhotse"),
        (_zip(tmp_path / "lzma.npz", {"mean.npy": huge, "std.npy": huge}, zipfile.ZIP_LZMA), "npz"),
    ]
    for name, text in {"deep": "[" * 100_000, "wide": "{}," * 900_000, "long": "1," * 1_900_000}.items():
        path = tmp_path / f"{name}.json"
        path.write_text(f'{{"mean": [{text}0], "std": [1]}}')
        cases.append((path, "json"))
    for path, name in cases:
        read_bounded(path, name)
        with pytest.raises(FileFormatError):
            read_numbers(path, name)


def test_numbers_are_checked_when_made() -> None:
    """The value itself refuses what is no map."""
    for shift, scale in (([0.0], [0.0]), ([np.nan], [1.0]), ([0.0, 1.0], [1.0]), ([], [])):
        with pytest.raises(SpectronormError, match="finite numbers"):
            ShiftAndScale(np.array(shift), np.array(scale))


@pytest.mark.parametrize("name", ["kaldi", "wenet", "espnet"])
def test_a_band_that_never_changes_is_exported_with_the_deviation_that_standardize_gives_it(
    name: str, tmp_path: Path
) -> None:
    front_end = sn.preset("ast")
    waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    profile = sn.fit(waves, front_end)
    assert (profile.band.std == 0).sum() == 1
    lost = write_statistics(tmp_path / "x", profile, name)
    assert any("1 band never changes" in sentence for sentence in lost)
    level = front_end(waves[0][0])
    ours = sn.Standardize("band").fit(profile)(level)
    assert np.abs(read_statistics(tmp_path / "x", front_end)(level) - ours).max() < 1e-9
