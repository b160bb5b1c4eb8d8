"""Counting of clips into integers."""
