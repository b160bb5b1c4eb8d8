"""The short-time Fourier transform and its windows."""
