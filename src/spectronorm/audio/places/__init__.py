"""Places where clips lie: files, archives, URLs and manifests."""
