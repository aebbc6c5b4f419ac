"""Converters of weights: from the format that a package carries to one that loads fast and safely, once."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files
from pathlib import Path

from services.weights import onnx_export
from services.weights.gguf_conversion import convert_to_ctranslate2, convert_to_safetensors
from services.weights.whisper_conversion import convert_encoder

READER_ADAPTERS = Path(str(files("services.llms"))) / "earwitness-reader-0.5b"

CONVERTERS: Mapping[str, Callable[[Path, Path], None]] = {
    "earwitness-reader-0.5b": partial(convert_to_ctranslate2, adapters=READER_ADAPTERS),
    "gemma-3-270m": convert_to_ctranslate2,
    "gemma-3-270m-backbone": convert_to_safetensors,
    "ina": onnx_export.export_ina,
    "musicnn": onnx_export.export_musicnn,
    "qwen2.5-coder-0.5b": convert_to_ctranslate2,
    "qwen2.5-coder-0.5b-backbone": convert_to_safetensors,
    "qwen2.5-coder-1.5b": convert_to_ctranslate2,
    "qwen2.5-coder-1.5b-backbone": convert_to_safetensors,
    "resemblyzer": onnx_export.export_resemblyzer,
    "smollm2-135m": convert_to_ctranslate2,
    "smollm2-135m-backbone": convert_to_safetensors,
    "whisper-base-encoder": convert_encoder,
    "yamnet": onnx_export.export_yamnet,
}
"""Weights name -> function(source folder, empty target folder); names that are absent need no conversion."""
