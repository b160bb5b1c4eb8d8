"""Run every benchmark, one after the other."""

from __future__ import annotations

from benchmarks import bench_pass, bench_sliding

bench_pass.main()
bench_sliding.main()
