"""Model weights: download, verification by hash, and conversion to formats that load safely."""
