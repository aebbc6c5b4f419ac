"""Music: instruments, melody, harmony, texture, style."""
