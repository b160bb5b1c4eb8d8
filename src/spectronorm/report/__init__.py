"""Reports: text plots, figures, and self-contained pages."""

from spectronorm.display import Player as Player
from spectronorm.display import play as play
from spectronorm.display import plot as plot
from spectronorm.display import plot_wave as plot_wave
from spectronorm.report.normalizations import compare_normalizations as compare_normalizations

__all__ = ["Player", "compare_normalizations", "play", "plot", "plot_wave"]
