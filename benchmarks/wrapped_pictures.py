"""Pictures of the common tutorial code: which share of their cells wrapped around, and which is restored.

    python -m benchmarks.wrapped_pictures SOURCE

Makes a picture of each clip by the tutorial's recipe, with the mean of the clips' extremes as min and max, as the
recipe does, and with min raised or max lowered. Reads each as `spectronorm invert --legacy-logmel` does.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray

import spectronorm as sn
from benchmarks.document import put_table
from benchmarks.measure import RESULTS, circumstances
from spectronorm.interop.tutorial_pictures import LegacyLogMel
from spectronorm.interop.wrapped_codes import TURN, count_turns

RATE, HOP, BANDS = 22_050, 512, 128
PAGE = Path(__file__).parent.parent / "docs" / "images-and-inversion.md"
HEAD = (
    "min … max",
    "code of silence",
    "wrapped (%)",
    "of it silence",
    "restored as silence",
    "of it wrongly",
    "wrong cells",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    given = parser.parse_args()
    levels = [_level(sn.read(clip.path, RATE)) for clip in sn.open_source(given.source)]
    low, high = (float(np.mean([getattr(level, name)() for level in levels])) for name in ("min", "max"))
    ranges = {
        "the clips' mean extremes": (low, high),
        "every clip's extremes": (min(map(np.min, levels)), max(map(np.max, levels))),
        "min raised by 3": (low + 3.0, high),
        "max lowered by 2": (low, high - 2.0),
    }
    rows = [{"range": name, **_row(levels, LegacyLogMel(RATE, HOP, BANDS, *ends))} for name, ends in ranges.items()]
    cells = [
        [
            f"{row['range']}: {row['min']:.2f} … {row['max']:.2f}",
            "not wrapped" if row["code"] is None else str(row["code"]),
            *(f"{100 * row[name]:.4f}" if name == "false" else f"{100 * row[name]:.2f}" for name in _SHARES),
        ]
        for row in rows
    ]
    put_table(PAGE, "wrapped", [HEAD, *cells])
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "wrapped_pictures.json").write_text(json.dumps({"rows": rows, **circumstances()}, indent=1) + "\n")
    print(json.dumps(rows, indent=1))


_SHARES = ("wrapped", "silence", "restored", "false", "wrong")


def _level(wave: NDArray[np.floating]) -> NDArray[np.float64]:
    mels = librosa.feature.melspectrogram(y=np.asarray(wave), sr=RATE, n_mels=BANDS, n_fft=2 * HOP, hop_length=HOP)
    return np.asarray(np.log(mels + 1e-9), dtype=np.float64)


def _row(levels: list[NDArray[np.float64]], settings: LegacyLogMel) -> dict[str, Any]:
    """Shares of all cells, in truth and as they are read."""
    code = math.trunc(settings.code_of_silence)
    counts = dict.fromkeys(_SHARES, 0)
    for level in levels:
        value = np.trunc((level - settings.min) / (settings.max - settings.min) * 255.0).astype(np.int64)
        turns, silent = count_turns(value % TURN, settings.code_of_silence)
        counts["wrapped"] += int((value // TURN != 0).sum())
        counts["silence"] += int(((value == code) & (code < 0)).sum())
        counts["restored"] += int(silent.sum())
        counts["false"] += int((silent & (value != code)).sum())
        counts["wrong"] += int((turns != value // TURN).sum())
    cells = sum(level.size for level in levels)
    shares = {name: count / cells for name, count in counts.items()}
    return {"min": settings.min, "max": settings.max, "code": code % TURN if code < 0 else None, **shares}


if __name__ == "__main__":
    main()
