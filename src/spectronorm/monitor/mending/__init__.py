"""Updates of a profile, and their lineage."""
