"""Drift, its evidence and its diagnosis."""
