"""Models of single causes: how each moves the levels of the training clips, and how freely other figures."""

from __future__ import annotations

from collections.abc import Iterator

from spectronorm.monitor.change.causes.additions import additions
from spectronorm.monitor.change.causes.cause import Hypothesis
from spectronorm.monitor.change.causes.dynamics import dynamics
from spectronorm.monitor.change.causes.filters import filters
from spectronorm.monitor.change.causes.speeds import speeds
from spectronorm.monitor.change.observed import Observed


def causes(o: Observed) -> Iterator[Hypothesis]:
    """Yield every hypothesis that a change could be explained by."""
    yield from filters(o)
    yield from additions(o)
    yield from speeds(o)
    yield from dynamics(o)
