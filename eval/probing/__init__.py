"""Probing a LALM: what linear probes read from its activations, and what it forgets of what its backbone knew."""
