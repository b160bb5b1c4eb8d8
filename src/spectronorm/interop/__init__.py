"""Interoperability with other frameworks; each module but `statistics` needs the framework that it is named after."""

from spectronorm.interop import statistics as statistics
