"""Architecture of our audio-language model: frozen Whisper encoder, Q-Former connector, frozen LLM with LoRA."""
