"""Training of a reader, an LLM that answers from evidence: LoRA adapters, and a loss on option letters alone."""
