"""Where work runs: an engine maps a task over items, in any order, and knows nothing of audio."""

from specnorm.engines.auto import AutoEngine as AutoEngine
from specnorm.engines.dask import DaskEngine as DaskEngine
from specnorm.engines.engine import Engine as Engine
from specnorm.engines.local import LocalEngine as LocalEngine
from specnorm.engines.processes import ProcessEngine as ProcessEngine
from specnorm.engines.resumable import ResumableTask as ResumableTask
from specnorm.engines.resumable import resumable_map as resumable_map
