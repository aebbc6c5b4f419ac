"""Access control of the HTTP API: keys, rate limits, admission."""
