"""The terminal of a command: what it shows of long work on stderr, and how Ctrl-C ends it."""
