"""Input and output of a monitor: incoming clips, and the reports of verdicts."""
