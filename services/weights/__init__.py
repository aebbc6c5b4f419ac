"""Model weights: where they come from, and their conversion to formats that load safely."""
