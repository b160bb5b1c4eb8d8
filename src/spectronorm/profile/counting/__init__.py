"""Counting clips into integers."""
