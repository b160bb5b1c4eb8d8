"""The fast path for one NumPy clip."""
