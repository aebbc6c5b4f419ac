"""Connector pre-alignment (stage 2a): audio embeddings are brought near the words of the backbone before training."""
