"""The frozen parts of a LALM: a Whisper encoder and a causal LM, from the embedded weights, a folder or the Hub."""

from pathlib import Path
from typing import Literal

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from services import weights
from services.errors import ModelError


def revision(source: str) -> str:
    """Return what identifies the weights: their hash in the catalogue, "local" for a folder, else "hub"."""
    if source in weights.known():
        return weights.revision(source)
    return "local" if Path(source).is_dir() else "hub"


def open_encoder(source: str, dtype: torch.dtype) -> WhisperEncoder:
    """Load a Whisper encoder; `source` may also hold a whole Whisper model."""
    folder = _place(source)
    try:
        return WhisperEncoder.from_pretrained(folder, dtype=dtype, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise _unusable("Whisper encoder", source, error) from error


def open_backbone(source: str, dtype: torch.dtype) -> PreTrainedModel:
    """Load a causal LM, frozen."""
    folder = _place(source)
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise _unusable("causal LM", source, error) from error
    frozen: PreTrainedModel = model.eval().requires_grad_(requires_grad=False)
    return frozen


def open_tokenizer(source: str) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a causal LM."""
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(_place(source))
    except (OSError, ValueError) as error:
        raise _unusable("tokenizer", source, error) from error
    return tokenizer


def pick_dtype(wanted: Literal["auto", "float32", "bfloat16"], device: torch.device) -> torch.dtype:
    """Return the dtype of the frozen parts; auto: bfloat16 where `device` multiplies it faster than float32."""
    if wanted != "auto":
        return torch.bfloat16 if wanted == "bfloat16" else torch.float32
    fast = device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if fast else torch.float32


def _place(source: str) -> str | Path:
    return weights.folder(source) if source in weights.known() else source


def _unusable(what: str, source: str, error: Exception) -> ModelError:
    reason = str(error).splitlines()[0]
    return ModelError(
        f"{source!r} holds no {what} that can be loaded: {reason} "
        "Name embedded weights (`earwitness models list`), a folder in Hugging Face format, or a Hub id."
    )
