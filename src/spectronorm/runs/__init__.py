"""Runs that can be interrupted and resumed: lock, journal, and checks of remote workers."""
