"""Bands: how the STFT's bins are gathered."""
