"""Static files for browsers: the page of the service; its colours and wavesurfer.js serve `earwitness eval report` too."""

from pathlib import Path

FOLDER = Path(__file__).parent
