"""Evaluation: benchmarks, the driver that runs them, records of runs, scores, statistics and reports."""
