"""Metrics of a comparison, each as one value for each clip, so that arms are compared clip by clip under any metric."""
