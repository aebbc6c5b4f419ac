"""HTTP clients of model servers."""
