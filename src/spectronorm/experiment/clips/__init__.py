"""Labelled clips, their folds, log-spectrograms and simulated devices."""
