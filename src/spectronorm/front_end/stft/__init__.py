"""Short-time Fourier transform and its windows."""
