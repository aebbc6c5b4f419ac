"""Trains the naming head of a LALM (`lalm/model/naming.py`) by contrast, and weighs it beside the likelihoods."""
