"""Display of one sound: its waveform and spectrogram drawn (extra `report`), and its samples played."""

from spectronorm.display.player import Player as Player
from spectronorm.display.player import play as play
from spectronorm.display.spectrogram import plot as plot
from spectronorm.display.waveform import plot_wave as plot_wave
