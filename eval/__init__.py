"""Measuring: benchmarks, the driver that asks them, the records it leaves, and the scores."""
