"""Runs that can be stopped and resumed: lock, journal, and the checks on workers elsewhere."""
