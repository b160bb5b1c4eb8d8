"""The browser that the tests of the explorer's page share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium; without one, or without the extra `explore`, the test is skipped."""
    pytest.importorskip("starlette")
    from explore.cases import chromium  # noqa: PLC0415

    with chromium() as found:
        yield found
