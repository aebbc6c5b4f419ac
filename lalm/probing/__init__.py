"""Probing: activations of a LALM from encoder to backbone, and how it reads text beside a recording."""
