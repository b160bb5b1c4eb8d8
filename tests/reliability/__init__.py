"""Attacks: bad inputs, kills, full disks, hostile files."""
