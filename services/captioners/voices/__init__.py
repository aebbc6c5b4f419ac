"""Voices: voice activity detection, speaker diarisation, pitch, gender and emotion."""
