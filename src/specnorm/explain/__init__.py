"""How two front ends or pipelines differ, in words and in numbers."""

from specnorm.explain.effects import effect as effect
from specnorm.explain.explain import Difference as Difference
from specnorm.explain.explain import Explanation as Explanation
from specnorm.explain.explain import explain as explain
from specnorm.explain.measured import PROBE_RATE as PROBE_RATE
from specnorm.explain.measured import probe as probe
