"""Preparing and running an experiment."""
