"""Content-addressed caches of captions and transcripts, in memory and on disk."""
