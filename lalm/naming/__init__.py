"""Training of the naming head of a LALM (`lalm/model/naming_head.py`), and of its weight beside the likelihoods."""
