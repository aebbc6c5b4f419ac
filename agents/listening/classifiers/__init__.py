"""Text classifiers: which tool a question asks for, whether it asks for words or for what is absent, and demands."""
