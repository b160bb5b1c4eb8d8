"""Compressions: band values to levels, and the grid that levels are counted on."""
