"""Reading: prompts for the LLM and the parser of its replies."""
