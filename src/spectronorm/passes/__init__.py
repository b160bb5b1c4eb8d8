"""Passes over a source: measure, apply, check, and write images and sounds."""

from spectronorm.passes.apply import Applied as Applied
from spectronorm.passes.check import Checked as Checked
from spectronorm.passes.check import Twins as Twins
from spectronorm.passes.fit import Sample as Sample
from spectronorm.passes.stores import Store as Store

__all__ = ["Applied", "Checked", "Sample", "Store", "Twins"]
