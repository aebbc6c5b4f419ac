"""Training (stage 2)."""
