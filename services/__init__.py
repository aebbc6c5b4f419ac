"""Services: audio, models behind narrow protocols, the perception cache, and the HTTP API."""
