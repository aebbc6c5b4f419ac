"""Trains the naming head of a LALM (`lalm/model/naming_head.py`) by contrast, and weighs it beside the likelihoods."""
