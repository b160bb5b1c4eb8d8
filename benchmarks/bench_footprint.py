"""Cost of the package before it computes anything: `python -m benchmarks.bench_footprint`.

Processor time of `import spectronorm` and of `spectronorm --help`, beside an empty Python and `import numpy`; the first
call of presets, which compiles their kernels, less the second, with a cache of kernels of its own; and the size on disk
of the package with all that it requires.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from benchmarks.measure import Figure, report

ROUNDS = 7
_SOURCES = sorted((Path(__file__).parents[1] / "src").rglob("*.py"))
PRESETS = ("logmel", "whisper", "kaldi")
_STARTS = {
    "python": "pass",
    "numpy": "import numpy",
    "import": "import spectronorm",
    "front end": "import spectronorm as sn; sn.preset('logmel')",
    "--help": "import sys; from spectronorm.cli import main; sys.argv = ['spectronorm', '--help']; main()",
}
_CALL = "import numpy as np, spectronorm as sn; f = sn.preset({!r}); f(np.zeros(f.sample_rate, np.float32))"


def processor_seconds(program: str, **environment: str) -> float:
    """Processor time of a Python process that runs this program."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", program]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compiling_seconds(preset: str) -> float:
    """Processor time of a preset's first call, less that of its second in another process."""
    with tempfile.TemporaryDirectory() as cache:
        first, second = (processor_seconds(_CALL.format(preset), NUMBA_CACHE_DIR=cache) for _ in range(2))
    return first - second


def installed_megabytes() -> dict[str, float]:
    """Size of the files of the package and of each distribution that it requires, without extras."""
    waiting, found = ["spectronorm"], dict[str, float]()
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        try:
            one = distribution(name)
        except PackageNotFoundError:  # required on other systems only
            continue
        files = [Path(str(file.locate())) for file in one.files or ()] if key != "spectronorm" else _SOURCES
        found[key] = sum(path.stat().st_size for path in files if path.is_file()) / 1e6
        required = [line for line in one.requires or () if "extra ==" not in line]
        waiting += [match[0] for line in required if (match := re.match(r"[\w.-]+", line))]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {name: [] for name in _STARTS}
    for _ in range(rounds):
        for name, program in _STARTS.items():
            times[name].append(processor_seconds(program))
    medians = {name: statistics.median(found) for name, found in times.items()}
    sizes = installed_megabytes()
    numba = sizes.get("numba", 0.0) + sizes.get("llvmlite", 0.0)
    figures = [
        Figure("import spectronorm, processor time", medians["import"], "s", "<= 0.25", medians["import"] <= 0.25),
        Figure("spectronorm --help, processor time", medians["--help"], "s", "<= 0.4", medians["--help"] <= 0.4),
        Figure("an empty Python", medians["python"], "s", "", True),
        Figure("import numpy", medians["numpy"], "s", "", True),
        Figure("import and a preset", medians["front end"], "s", "", True),
    ]
    for preset in PRESETS:
        seconds = statistics.median(compiling_seconds(preset) for _ in range(max(1, rounds // 3)))
        figures.append(Figure(f"{preset}: first call - second call", seconds, "s", "<= 2", seconds <= 2))
    figures += [
        Figure("installed, with all that is required", sum(sizes.values()), "MB", "", True),
        Figure("of that numba and llvmlite", numba, "MB", "", True),
        Figure("of that SciPy", sizes.get("scipy", 0.0), "MB", "", True),
    ]
    report("Footprint", figures, {"seconds": medians, "megabytes": sizes, "rounds": rounds}, "footprint.json")


if __name__ == "__main__":
    main()
