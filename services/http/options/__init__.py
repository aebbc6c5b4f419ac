"""Options in the text of a question: how they are marked, listed and asked for in prompts of many languages."""
