"""Training (stage 2): data, loss, checkpoints and data-parallel processes of `python -m lalm.train`."""
