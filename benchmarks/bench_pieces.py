"""Ten thousand pieces of a two-hour recording, beside one decoding by libsndfile: `python -m benchmarks.bench_pieces`.

Each format is measured in a process of its own: the pieces are read and stamped in the order of a table, in processor
seconds, and then measured by `fit` with one worker, whose peak memory is told.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

import spectronorm as sn
from benchmarks.measure import Figure, report

SUFFIXES = {".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "VORBIS"), ".mp3": ("MP3", None)}
RATE, SECONDS, PIECES, PIECE_SECONDS = 22_050, 7200, 10_000, 0.7
ROUNDS = 3
MOST_MEGABYTES = 300


def write_recording(path: Path) -> None:
    """Two hours of noise whose loudness changes, written a minute at a time."""
    random = np.random.default_rng(0)
    kind, subtype = SUFFIXES[path.suffix]
    with soundfile.SoundFile(path, "w", RATE, 1, format=kind, subtype=subtype) as file:
        for minute in range(SECONDS // 60):
            noise = np.convolve(random.standard_normal(60 * RATE), np.ones(4) / 4, "same")
            file.write(0.1 * (1 + np.sin(minute)) * noise)


def decode(path: Path) -> None:
    """All samples by libsndfile, a block at a time."""
    with soundfile.SoundFile(path) as file:
        for _ in file.blocks(1 << 18, dtype="float32"):
            pass


def pieces_of(path: Path) -> sn.audio.Source:
    """Sections at random, so that some overlap and some lie apart."""
    starts = np.sort(np.random.default_rng(1).uniform(0, SECONDS - PIECE_SECONDS, PIECES))
    clip = sn.audio.ClipReference(path.name, path)
    pieces = (clip.piece(sn.audio.Span(float(start), float(start) + PIECE_SECONDS)) for start in starts)
    return sn.audio.Source.of(pieces)


def read_all(source: sn.audio.Source) -> None:
    """Every piece with its stamp, as a journaled run reads them."""
    for found in source.reader.read_each(source.clips, RATE):
        found.clip_or_raise()


def measure_one(path: Path) -> dict[str, float]:
    """Ratios of the processor time of the pieces to that of one decoding, and the peak memory of a fit, in MB."""
    source = pieces_of(path)
    read_all(sn.audio.Source.of(source.clips[:50]))
    ratios = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        decode(path)
        between = time.process_time()
        read_all(source)
        sn.audio.release()
        ratios.append((time.process_time() - between) / (between - begun))
    profile = sn.fit(source, sn.FrontEnd(RATE), engine=sn.engines.ThreadEngine(1))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"ratio": float(np.median(ratios)), "megabytes": memory, "clips": profile.clips}


def main() -> None:
    """Measure each format."""
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(measure_one(Path(sys.argv[1]))))
        return
    figures, details = [], {}
    for suffix in SUFFIXES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"recording{suffix}"
            write_recording(path)
            command = [sys.executable, "-m", "benchmarks.bench_pieces", str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = details[suffix] = json.loads(done.stdout)
        figures += [
            Figure(f"{suffix}: 10 000 pieces / one decoding", found["ratio"], "x", "<= 1.5", found["ratio"] <= 1.5),
            Figure(
                f"{suffix}: peak memory of a fit over them",
                found["megabytes"],
                "MB",
                f"<= {MOST_MEGABYTES}",
                found["megabytes"] <= MOST_MEGABYTES and found["clips"] == PIECES,
            ),
        ]
    report("Pieces of a two-hour recording", figures, details, "pieces.json")


if __name__ == "__main__":
    main()
