"""Preparation and execution of an experiment."""
