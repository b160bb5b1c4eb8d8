"""Passes over a source: measure, apply, check, and write images and sounds."""
