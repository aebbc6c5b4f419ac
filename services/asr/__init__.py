"""Automatic speech recognition (ASR), one file a runtime."""
