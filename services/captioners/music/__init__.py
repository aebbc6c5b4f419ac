"""Music: instruments, rhythm, melody, harmony, style."""
