"""Explanation of the differences between two front ends or pipelines, in words and in numbers."""

from spectronorm.explain.effects import effect as effect
from spectronorm.explain.explain import Difference as Difference
from spectronorm.explain.explain import Explanation as Explanation
from spectronorm.explain.explain import explain as explain
from spectronorm.explain.numbers import PROBE_RATE as PROBE_RATE
from spectronorm.explain.numbers import probe as probe

__all__ = ["Difference", "Explanation", "explain"]
