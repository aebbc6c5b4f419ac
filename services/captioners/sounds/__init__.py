"""Sound events, loudness and recording quality."""
