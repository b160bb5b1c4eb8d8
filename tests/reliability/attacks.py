"""Every attack of this folder as one table: `python -m reliability.attacks`, which `make attacks` runs.

Cases and verdicts are counted by what is attacked. More arguments go to pytest, such as `-n auto`. Nothing outside of
scratch folders and namespaces of its own is written to.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
GROUPS: dict[str, tuple[str, ...]] = {
    "sources, tables, watched folders": ("nothing_vanishes", "hostile_small", "watched_folders", "check"),
    "names": ("names", "names_everywhere", "output_collisions"),
    "audio": ("whole_files", "real_writers", "bad_inputs"),
    "archives": ("archives", "bounded_archives"),
    "outputs": ("outputs", "outputs_of_training"),
    "places and file systems": ("starts_anywhere", "odd_places", "places_without_rights", "fake_file_systems"),
    "full disks, kills, signals, two at once": ("resume", "journal"),
    "files of ours": (*("hostile_files", "every_field", "every_journal_field", "every_statistics_field", "mutations"),),
    "sandbox": ("sandbox", "confinement"),
    "options": ("option_bounds", "cli_fuzz"),
    "numbers": ("exactness", "finite_numbers"),
    "reports of the field": ("faults_of_the_field", "faults"),
}
"""The test files of each group, without `test_`."""
VERDICTS = {"failure": "wrong", "error": "wrong", "skipped": "not here"}


def counted(report: Path) -> dict[str, Counter[str]]:
    """Verdicts by group, from pytest's report."""
    groups = {module: group for group, modules in GROUPS.items() for module in modules}
    found: dict[str, Counter[str]] = {group: Counter() for group in (*GROUPS, "others")}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314
        name = re.search(r"reliability\.test_(\w+)", f"{case.get('classname')}.{case.get('name')}")
        module = name.group(1) if name else ""
        verdict = next((VERDICTS[child.tag] for child in case if child.tag in VERDICTS), "right")
        found[groups.get(module, "others")][verdict] += 1
    return found


def main() -> None:
    """Run them, print the table, and end with pytest's exit code."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", str(HERE), f"--junitxml={report}", *sys.argv[1:]]
        code = subprocess.run(command, cwd=HERE.parents[1], check=False).returncode
        print(f"\n{'attacked':42} {'cases':>6} {'right':>6} {'wrong':>6} {'not here':>9}")  # noqa: T201
        total: Counter[str] = Counter()
        for group, verdicts in counted(report).items():
            total += verdicts
            print_row(group, verdicts)
        print_row("all", total)
    sys.exit(code)


def print_row(group: str, verdicts: Counter[str]) -> None:
    """One line of the table."""
    cells = (verdicts.total(), verdicts["right"], verdicts["wrong"], verdicts["not here"])
    print(f"{group:42} {cells[0]:>6} {cells[1]:>6} {cells[2]:>6} {cells[3]:>9}")  # noqa: T201


if __name__ == "__main__":
    main()
