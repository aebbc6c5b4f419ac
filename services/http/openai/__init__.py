"""Routes as OpenAI's clients use them, over our questions and answers: chat completions and responses."""
