"""Compiled code: compilation, working buffers, and the Fourier transform."""
