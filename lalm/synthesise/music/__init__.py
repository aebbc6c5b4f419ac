"""Music rendered from notes: soundfonts play what theory and chance write."""
