"""Content-addressed caches of captions, transcripts and readings, in memory and on disk."""
