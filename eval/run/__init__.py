"""Running a benchmark."""
