"""Locations of clips: files, archives, URLs and manifests."""
