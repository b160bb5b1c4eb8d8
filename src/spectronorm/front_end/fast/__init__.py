"""Fast path for one NumPy clip."""
