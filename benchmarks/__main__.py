"""Run every benchmark, one after the other."""

from __future__ import annotations

from benchmarks import (
    bench_inversion,
    bench_merge,
    bench_pass,
    bench_png,
    bench_reliability,
    bench_sliding,
    bench_torch,
)

bench_pass.main()
bench_sliding.main()
bench_png.main()
bench_inversion.main()
bench_torch.main()
bench_reliability.main()
bench_merge.main()
