"""Statistics in the formats of other libraries."""
