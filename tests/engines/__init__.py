"""Where work runs: every engine gives the same bytes and outlives its workers."""
