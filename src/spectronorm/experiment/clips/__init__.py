"""Labelled clips, their folds, levels and simulated devices."""
