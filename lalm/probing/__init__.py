"""Probing: activations of a LALM from encoder to backbone, and its scores of text questions beside a recording."""
