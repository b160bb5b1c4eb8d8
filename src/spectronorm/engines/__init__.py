"""Engines: each maps a task over items, in any order, and does not depend on audio. One file and one line for each."""

from spectronorm.engines.engine import ENGINES as ENGINES
from spectronorm.engines.engine import Engine as Engine
from spectronorm.engines.engine import open_named as open_named
from spectronorm.engines.auto import AutoEngine as AutoEngine
from spectronorm.engines.threads import ThreadEngine as ThreadEngine
from spectronorm.engines.processes import ProcessEngine as ProcessEngine
from spectronorm.engines.dask import DaskEngine as DaskEngine

__all__ = ["ENGINES", "AutoEngine", "DaskEngine", "Engine", "ProcessEngine", "ThreadEngine"]
