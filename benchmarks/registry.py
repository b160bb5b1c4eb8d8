"""Every benchmark that `make bench` runs, by its module; a new one is one line here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Benchmark:
    """One module with a `main`, run as `python -m benchmarks.NAME`, that calls `measure.report`.

    Attributes:
        module: Its name below `benchmarks`.
        about: What it compares, in a few words.
        page: The page of the documentation that tells of it.
        options: What it is run with.
    """

    module: str
    about: str
    page: str
    options: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """How to run it alone."""
        return " ".join(["python -m", f"benchmarks.{self.module}", *self.options])


BENCHMARKS = (
    Benchmark("bench_speed", "every goal of speed, on one core, beside its peer", "benchmarks"),
    Benchmark("bench_first_run", "what the first run of all compiles", "benchmarks"),
    Benchmark("bench_footprint", "import, help, the first call, and the installed size", "benchmarks"),
    Benchmark("bench_pass", "the pass with bare decoding and resampling", "benchmarks"),
    Benchmark("bench_sliding", "sliding normalization with a loop over frames", "sliding"),
    Benchmark("bench_png", "the PNG writer with Pillow", "images-and-inversion"),
    Benchmark("bench_inversion", "inversion with librosa", "images-and-inversion"),
    Benchmark("bench_front_ends", "each preset with its origin, call by call, and streams", "benchmarks"),
    Benchmark("bench_torch", "batches with torch.stft, nnAudio and torch.compile", "torch"),
    Benchmark("bench_reliability", "the cost of the journal and of `--untrusted`", "reliability"),
    Benchmark("bench_monitor", "the cost of watching for drift", "monitoring"),
    Benchmark(
        "bench_levels", "a meter with other sums of levels, and stores with one file per clip", "own-spectrograms"
    ),
    Benchmark("bench_merge", "adding up a million clips", "reliability"),
    Benchmark("bench_dask", "a Dask cluster with the local pool, and a worker's death", "scale"),
    Benchmark("bench_memory", "peak memory of every command on a clip of an hour", "scale"),
    Benchmark("bench_pieces", "pieces of a two-hour recording with one decoding of it", "long-recordings"),
    Benchmark("bench_explore", "the explorer's page in Chromium", "explore"),
    Benchmark("bench_cleaning", "planted faults that an inspection finds", "cleaning"),
    Benchmark("bench_near_copies", "near copies that an inspection finds", "cleaning"),
    Benchmark("bench_growth", "time and memory by files, lengths and bands", "scale"),
)
