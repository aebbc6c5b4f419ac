"""Training of an LLM that reads evidence: LoRA adapters, and a loss on the letters of the options alone."""
