"""Other ways to ask the same questions: other words, other orders of the options, other draws."""
