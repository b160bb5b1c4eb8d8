"""Gauges for Prometheus (extra `monitor`), served on the loopback address by default."""

from __future__ import annotations

import math
from typing import Any

from spectronorm.errors import ArgumentError, MissingExtra
from spectronorm.front_end import AnyFrontEnd
from spectronorm.monitor.change.kind import Kind
from spectronorm.monitor.verdict import Report

LOOPBACK = "127.0.0.1"
_SINGLE = {
    "alarm": "1 while the clips are not like those of training",
    "statistic": "the largest standardized deviation",
    "threshold": "what the statistic may be",
    "clips": "clips in so far",
    "bad_clips": "clips that could not be used",
    "alarms": "alarms so far",
    "rms_shift_db": "change of the clips' mean RMS level",
    "peak_shift_db": "change of the clips' mean peak level",
}
_FIGURES = {
    "mean_shift": "change of the mean in training standard deviations",
    "std_ratio": "std over the training set's",
    "psi": "population stability index",
    "wasserstein": "Wasserstein-1 distance in the level's unit",
    "jensen_shannon": "Jensen-Shannon divergence in bits",
    "floor_change": "change of the share of cells on the floor",
}


class Exporter:
    """Server of the newest report as gauges named `spectronorm_…`, labelled by band, until it is closed.

    Raises:
        MissingExtra: if prometheus_client is not installed.
        ArgumentError: if the port cannot be opened.
    """

    def __init__(self, front_end: AnyFrontEnd, port: int, address: str = LOOPBACK) -> None:
        try:
            import prometheus_client
        except (ImportError, OSError):
            raise MissingExtra("Serving gauges", "monitor") from None
        registry = prometheus_client.CollectorRegistry()

        def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Any:
            return prometheus_client.Gauge(f"spectronorm_{name}", text, labels, registry=registry)

        self._single = {name: gauge(name, text) for name, text in _SINGLE.items()}
        self._pooled = {name: gauge(f"global_{name}", text) for name, text in _FIGURES.items()}
        self._band = {name: gauge(f"band_{name}", text, ("band", "hz")) for name, text in _FIGURES.items()}
        self._kind = gauge("diagnosis", "1 for the kind of change that is diagnosed", ("kind",))
        self._labels = [(str(band), f"{hz:.0f}") for band, hz in enumerate(front_end.band_hz())]
        try:
            self._server, self._thread = prometheus_client.start_http_server(port, addr=address, registry=registry)
        except (OSError, OverflowError) as error:
            raise ArgumentError(f"{address}:{port} cannot be opened ({error}); choose another port") from None

    @property
    def port(self) -> int:
        """The port in use; with port 0, the system chooses one."""
        return int(self._server.server_port)

    def update(self, report: Report) -> None:
        """Serve this report from now on."""
        verdict, drift = report.verdict, report.drift
        values = {
            "alarm": float(verdict.alarm),
            "statistic": verdict.statistic,
            "threshold": verdict.threshold,
            "clips": verdict.clip,
            "bad_clips": report.bad,
            "alarms": report.alarms,
            "rms_shift_db": drift.rms_shift,
            "peak_shift_db": drift.peak_shift,
        }
        for name, value in values.items():
            self._single[name].set(value)
        for name, gauge in self._pooled.items():
            gauge.set(float(getattr(drift.pooled, name)[0]))
        for name, gauge in self._band.items():
            for labels, value in zip(self._labels, getattr(drift.band, name).tolist(), strict=True):
                gauge.labels(*labels).set(value if math.isfinite(value) else 0.0)
        for kind in Kind:
            self._kind.labels(kind.value).set(float(report.diagnosis.kind is kind))

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
