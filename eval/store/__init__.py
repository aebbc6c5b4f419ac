"""Run folders: records of runs on disk."""
