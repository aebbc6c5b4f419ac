"""Static files for browsers: the page of the service; `earwitness eval report` has its colours and wavesurfer.js."""

from pathlib import Path

FOLDER = Path(__file__).parent
