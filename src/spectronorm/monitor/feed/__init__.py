"""Clips that come in, and where the verdicts go."""
