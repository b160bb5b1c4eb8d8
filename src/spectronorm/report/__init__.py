"""Reports: text plots, figures, and self-contained pages."""

from spectronorm.report.play import Player as Player
from spectronorm.report.play import play as play
from spectronorm.report.plots import compare_normalizations as compare_normalizations
from spectronorm.report.plots import plot as plot
from spectronorm.report.plots import plot_wave as plot_wave

__all__ = ["Player", "compare_normalizations", "play", "plot", "plot_wave"]
