"""Exports for transformers and vLLM."""
