"""Speech by synthesisers: words, numbers, lists and dialogues whose text is known."""
