"""HTTP clients for model servers."""
