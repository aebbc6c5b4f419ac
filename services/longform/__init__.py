"""Long-form audio: a long recording is split at pauses and heard part by part."""
