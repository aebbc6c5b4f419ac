"""Sentence embeddings: short texts as vectors that lie near each other where they mean alike."""
