"""Our audio language model: make it, use it."""
