"""AKB-open: generator, checker and review of our own text-only benchmark of auditory knowledge."""
