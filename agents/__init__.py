"""Ways from question to answer: prompts, readers and the paths that combine models."""
