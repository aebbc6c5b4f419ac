"""What browsers get: the page of the service, and wavesurfer.js, which draws waveforms in `eval report` too."""

from pathlib import Path

WAVEFORMS = Path(__file__).parent
"""Folder of wavesurfer.js and its licence."""
