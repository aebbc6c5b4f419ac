"""Voices: who speaks when, pitch, gender, emotion."""
