"""What a focus asks for: harmony at a place, events and how far apart they are, small numbers and durations."""
