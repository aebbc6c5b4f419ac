"""Static files for browsers: the page of the service; `earwitness eval report` has its colours and time line."""

from pathlib import Path

FOLDER = Path(__file__).parent
