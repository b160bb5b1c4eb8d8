"""Tables and manifests that list clips."""
