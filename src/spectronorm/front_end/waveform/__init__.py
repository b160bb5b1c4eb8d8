"""Waveform levels: what is done to a clip's samples before its STFT."""
