"""Large audio-language models (LALMs): distil, train, export and run our own, and run those of others."""
