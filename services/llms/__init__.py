"""Text-only language models, one runtime a file."""
