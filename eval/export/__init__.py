"""Results in the forms of other tools: lm-eval's files, inspect's log, and experiment trackers."""
