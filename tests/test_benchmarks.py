"""The frame of `make bench`: every benchmark can be found, and measured tables go where they belong."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from benchmarks import __main__ as bench
from benchmarks import measure
from benchmarks.document import put_table, renew_rows
from benchmarks.front_ends_table import Part, Parts
from benchmarks.plot import Panel, save_plot
from benchmarks.registry import BENCHMARKS, Benchmark

ROOT = Path(__file__).parent.parent


def test_every_benchmark_is_registered_and_told_of() -> None:
    """Each bench_ module stands in the registry once, and its page exists."""
    modules = sorted(path.stem for path in (ROOT / "benchmarks").glob("bench_*.py"))
    assert sorted(benchmark.module for benchmark in BENCHMARKS) == modules
    for benchmark in BENCHMARKS:
        assert (ROOT / "docs" / f"{benchmark.page}.md").is_file()
        assert importlib.util.find_spec(f"benchmarks.{benchmark.module}") is not None
    told = (ROOT / "docs" / "benchmarks.md").read_text()
    assert all(benchmark.module in told for benchmark in BENCHMARKS)


def test_a_table_replaces_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    """Twice the same gives the same; a page without marks is refused."""
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n<!-- a: begin -->\nold\n<!-- a: end -->\n\nafter\n")
    for _ in range(2):
        put_table(page, "a", [("name", "value"), ("x|y", "1")], "Where.")
        assert page.read_text() == (
            "# Title\n\n<!-- a: begin -->\n| name | value |\n|---|---|\n| x/y | 1 |\n\n"
            "Where.\n<!-- a: end -->\n\nafter\n"
        )
    with pytest.raises(ValueError, match="needs the marks"):
        put_table(page, "b", [("name",)])


def test_a_row_measured_again_replaces_the_row_of_before_and_leaves_the_others(tmp_path: Path) -> None:
    """Rows are found by their first cell; another head begins a new table."""
    page = tmp_path / "page.md"
    page.write_text("<!-- a: begin -->\n<!-- a: end -->\n")
    renew_rows(page, "a", [("design", "share"), ("1 × 40", "5.0"), ("1 × 400", "4.0")])
    renew_rows(page, "a", [("design", "share"), ("1 × 80", "2.0"), ("1 × 400", "3.0")])
    rows = "| 1 × 40 | 5.0 |\n| 1 × 400 | 3.0 |\n| 1 × 80 | 2.0 |\n"
    assert page.read_text() == f"<!-- a: begin -->\n| design | share |\n|---|---|\n{rows}<!-- a: end -->\n"
    renew_rows(page, "a", [("design", "draws"), ("1 × 40", "600")])
    assert page.read_text() == "<!-- a: begin -->\n| design | draws |\n|---|---|\n| 1 × 40 | 600 |\n<!-- a: end -->\n"


def test_all_figures_come_into_one_table_and_a_failed_benchmark_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that runs, one that does not: the others' figures stand, and the exit code says so."""
    page = tmp_path / "page.md"
    page.write_text("<!-- figures: begin -->\n<!-- figures: end -->\n")
    good, bad = Benchmark("bench_sliding", "sliding", "sliding"), Benchmark("bench_none", "nothing", "sliding")
    for module, name in ((bench, "RESULTS"), (measure, "RESULTS")):
        monkeypatch.setattr(module, name, tmp_path)
    monkeypatch.setattr(bench, "PAGE", page)
    monkeypatch.setattr(bench, "BENCHMARKS", (good, bad))
    monkeypatch.setattr("sys.argv", ["bench_sliding"])

    class Done:
        def __init__(self, command: list[str], **_: object) -> None:
            self.returncode = 0 if command[-1].endswith("bench_sliding") else 1
            if not self.returncode:
                figures = [
                    measure.Figure("loop / ours", 120.0, "x", ">= 100", met=True),
                    measure.Figure("seconds", 2.5, "s", "<= 2", met=False),
                ]
                measure.report("Sliding", figures, {}, "sliding.json")

    monkeypatch.setattr(bench.subprocess, "run", Done)
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == 1
    text = page.read_text()
    for line in (
        "| loop / ours | 120 | >= 100 | bench_sliding |",
        "| seconds | 2.5 s | <= 2 (missed) | bench_sliding |",
        "| nothing | failed |  | bench_none |",
    ):
        assert line in text
    content = json.loads((tmp_path / "all.json").read_text())
    assert content["machine"]["cores"] > 0
    assert content["versions"]["numpy"]
    assert content["benchmarks"]["bench_sliding"][0]["figures"][0]["value"] == 120.0
    assert "FAILED: python -m benchmarks.bench_none" in capsys.readouterr().out

    class Later(Done):
        def __init__(self, *_: object, **__: object) -> None:
            self.returncode = 0
            measure.report("Nothing", [measure.Figure("nothing", 1.0, "x", "<= 2", met=True)], {}, "none.json")

    monkeypatch.setattr("sys.argv", ["bench_none", "--only", "bench_none"])
    monkeypatch.setattr(bench.subprocess, "run", Later)
    bench.main()
    text = page.read_text()
    assert "| loop / ours | 120 | >= 100 | bench_sliding |" in text
    assert "| nothing | 1 | <= 2 | bench_none |" in text
    assert "Run again by themselves after that: bench_none." in text


def test_a_plot_is_sound_svg_with_every_point(tmp_path: Path) -> None:
    """Logarithmic and not, one curve a panel."""
    from xml.etree import ElementTree  # noqa: PLC0415

    panels = [Panel("files", "seconds", ((10, 1.0), (1000, 90.0))), Panel("bands", "MB", ((64, 200.0), (128, 210.0)))]
    save_plot(tmp_path / "plot.svg", "A < B", panels)
    root = ElementTree.parse(tmp_path / "plot.svg").getroot()  # noqa: S314
    assert len(root.findall(".//{http://www.w3.org/2000/svg}circle")) == 4


def test_figures_of_front_ends_stand_in_the_table_of_their_kind_of_processor(tmp_path: Path) -> None:
    """A machine with other vectors, or of another family, leaves other tables alone and says which processor it was."""
    page, old = tmp_path / "page.md", "| another one's |"
    kinds = [f"{name}, cpu family {family}, model 1" for name, family in (("AVX-512", 25), ("AVX2", 23), ("AVX2", 25))]
    marks = [f"<!-- front-ends, {kind}: {mark} -->" for kind in kinds for mark in ("begin", "end")]
    page.write_text("\n".join([marks[0], old, *marks[1:3], old, *marks[3:]]))
    machine = {"name": "A processor", "kind": "cpu family 25, model 1, stepping 1", "cores": 2, "load": 1.0}
    narrow, wide = ({**machine, "features": ["avx2", *more]} for more in ((), ("avx512f",)))
    figure = measure.Figure("kaldi, clip, NumPy: origin / ours", 9.0, "x", ">= 2", met=True)
    part = Part({"kaldi clip, origin": 36.0, "kaldi clip, NumPy": 4.0}, [figure], 7, narrow)
    other = Part({"kaldi batch, origin": 9.0}, [], 7, wide)
    parts = Parts({"kaldi": other}).with_part("kaldi", part)
    parts.put_table(page)
    text = page.read_text()
    assert text.count(old) == 2
    assert "| `kaldi` | clip | 36.0 |  | 4.0 (9.0) |" in text
    assert "A processor (cpu family 25, model 1, stepping 1; AVX2), 2 cores" in text
    assert "batch" not in text
