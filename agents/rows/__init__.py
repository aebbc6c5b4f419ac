"""Training rows for a reader: questions whose answers are known, in the prompts that the cascade would show it."""
