"""Passes over a source: measure, apply, check, and write images and sounds."""

from spectronorm.passes.apply import Applied as Applied
from spectronorm.passes.check import Checked as Checked
from spectronorm.passes.check import Twins as Twins
from spectronorm.passes.fit import Sample as Sample

__all__ = ["Applied", "Checked", "Sample", "Twins"]
