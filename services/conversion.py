"""Turn the formats that packages carry into those that load fast and safely, once, when they are fetched."""

from collections.abc import Callable, Mapping
from pathlib import Path

from services import onnx_export

CONVERTERS: Mapping[str, Callable[[Path, Path], None]] = {
    "ina": onnx_export.ina,
    "resemblyzer": onnx_export.resemblyzer,
    "yamnet": onnx_export.yamnet,
}
"""Weights name -> function(source folder, empty target folder); names that are absent need no conversion."""
