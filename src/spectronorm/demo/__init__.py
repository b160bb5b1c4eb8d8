"""Demonstration of a whole run on synthesized sounds."""
