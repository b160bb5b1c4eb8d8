"""Compiled code: how it is compiled, the buffers it works in, and the Fourier transform."""
