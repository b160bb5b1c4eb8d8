"""Engines: each maps a task over items, in any order, and knows nothing of audio."""

from spectronorm.engines.auto import AutoEngine as AutoEngine
from spectronorm.engines.dask import DaskEngine as DaskEngine
from spectronorm.engines.engine import Engine as Engine
from spectronorm.engines.processes import ProcessEngine as ProcessEngine
from spectronorm.engines.threads import ThreadEngine as ThreadEngine

__all__ = ["AutoEngine", "DaskEngine", "Engine", "ProcessEngine", "ThreadEngine"]
