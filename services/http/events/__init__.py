"""Server-sent events: responses that begin while their request is still in work."""
