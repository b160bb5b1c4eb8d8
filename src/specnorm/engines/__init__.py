"""Where work runs: an engine maps a task over items, in any order, and knows nothing of audio."""

from specnorm.engines.engine import Engine as Engine
from specnorm.engines.local import LocalEngine as LocalEngine
