"""Loads the frozen parts of a LALM, encoders and a causal LM, from embedded weights, a folder or the Hub."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from hashlib import file_digest, sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from huggingface_hub import hf_hub_download
from safetensors import SafetensorError
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AutoConfig,
    AutoFeatureExtractor,
    AutoModel,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TorchAoConfig,
)
from transformers.models.whisper.modeling_whisper import WhisperEncoder
from transformers.utils import logging
from transformers.utils.quantization_config import QuantizationConfigMixin

from services.errors import ModelError
from services.types import SAMPLE_RATE
from services.weights import store as weights

FULL, SLIDING = "full_attention", "sliding_attention"  # kinds of layers, as transformers calls them
QUANTISERS = {"int8": "torchao", "nf4": "bitsandbytes"}
INSIDE_WHISPER = {r"^(model\.)?encoder\.": ""}  # where a whole Whisper model keeps its encoder
INSIDE_MULTIMODAL = {  # where a model that also sees or hears keeps its causal LM
    r"^language_model\.lm_head\.": "lm_head.",
    r"^(model\.)?language_model\.(model\.)?": "model.",
}
LOADING_ERRORS = (OSError, ValueError, RuntimeError, SafetensorError)  # RuntimeError: of another shape


def compute_revision(source: str) -> str:
    """Identify weights: their hash in the catalogue, the hash of the files of a folder, or the commit on the Hub.

    Raises:
        ModelError: there are no weights of that name.
    """
    if source in weights.list_weights():
        return weights.find_revision(source)
    if not Path(source).is_dir():
        try:
            config = hf_hub_download(source, "config.json")
        except LOADING_ERRORS as error:
            raise _make_loading_error("model", source, error) from error
        return Path(config).parent.name  # the cache keeps a commit as snapshots/COMMIT
    digest = sha256()
    for file in sorted([*Path(source).glob("*.safetensors"), *Path(source).glob("config.json")]):
        with file.open("rb") as content:
            digest.update(file_digest(content, "sha256").digest())
    return digest.hexdigest()[:12]


def open_encoder(source: str, dtype: torch.dtype) -> WhisperEncoder:
    """Load a Whisper encoder, also out of a whole Whisper model; raise `ModelError` if that fails."""
    return _load("Whisper encoder", WhisperEncoder, source, dtype, key_mapping=INSIDE_WHISPER)


class HubParts(NamedTuple):
    """An audio encoder of transformers with its feature extractor."""

    model: PreTrainedModel
    extractor: Any


def open_hub_encoder(source: str, dtype: torch.dtype) -> HubParts:
    """Load an audio encoder and its feature extractor; raise `ModelError` if that fails."""
    model = _load("audio encoder", AutoModel, source, dtype)
    try:
        extractor = AutoFeatureExtractor.from_pretrained(_resolve_source(source))
    except LOADING_ERRORS as error:
        raise _make_loading_error("feature extractor", source, error) from error
    if extractor.sampling_rate != SAMPLE_RATE:
        raise ModelError(
            f"The encoder {source!r} hears at {extractor.sampling_rate} Hz, and clips are at {SAMPLE_RATE} Hz: name "
            "another one."
        )
    return HubParts(model, extractor)


def read_model_type(source: str) -> str:
    """Return the `model_type` of a model's config.json; raise `ModelError` if there is none."""
    return str(_read_config("audio encoder", source).model_type)


def _read_config(what: str, source: str) -> PreTrainedConfig:
    """Read a model's config.json; raise `ModelError` if there is none."""
    try:
        config: PreTrainedConfig = AutoConfig.from_pretrained(_resolve_source(source))
    except LOADING_ERRORS as error:
        raise _make_loading_error(what, source, error) from error
    return config


def open_backbone(source: str, dtype: torch.dtype, quantise: Literal["int8", "nf4"] | None = None) -> PreTrainedModel:
    """Load a causal LM, frozen; raise `ModelError` if that fails or if it has layers without attention.

    Of a model that also sees or hears, such as Gemma 3, only the causal LM is loaded.

    Args:
        source: embedded weights, a folder or a Hub id.
        dtype: precision.
        quantise: that of its linear layers, where it is another.
    """
    config = _read_config("causal LM", source)
    decoder, known = config.get_text_config(), MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    is_whole = known is None or known.config_class is type(config)
    inside = {"config": decoder, "key_mapping": INSIDE_MULTIMODAL} if decoder is not config and is_whole else {}
    options = inside | ({"quantization_config": _make_quantisation(quantise)} if quantise else {})
    model = _load("causal LM", AutoModelForCausalLM, source, dtype, **options)
    odd = set(getattr(model.config, "layer_types", None) or ()) - {FULL, SLIDING}
    if odd:
        raise ModelError(
            f"The backbone {source!r} has layers of the kind {sorted(odd)[0]!r}, which cannot keep packed rows apart. "
            "Name one whose layers all attend, such as Llama, Qwen, Phi, OLMo or Gemma."
        )
    frozen: PreTrainedModel = model.eval().requires_grad_(requires_grad=False)
    return frozen


def _make_quantisation(name: Literal["int8", "nf4"]) -> QuantizationConfigMixin:
    """Return how transformers quantises linear layers; raise `ModelError` where the package for it is missing."""
    package = QUANTISERS[name]
    if find_spec(package) is None:
        raise ModelError(f"model.quantise: {name} needs the package {package}: `pip install {package}`.")
    if name == "nf4":
        return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")
    return TorchAoConfig(import_module(f"{package}.quantization").Int8WeightOnlyConfig())


def _load(
    what: str,
    kind: type[PreTrainedModel] | type[AutoModel] | type[AutoModelForCausalLM],
    source: str,
    dtype: torch.dtype,
    **options: object,
) -> PreTrainedModel:
    """Load a model from safetensors; raise `ModelError` if it cannot be read or lacks tensors."""
    try:
        with _hide_progress_bar(source):
            model, report = kind.from_pretrained(
                _resolve_source(source), dtype=dtype, use_safetensors=True, output_loading_info=True, **options
            )
    except LOADING_ERRORS as error:
        raise _make_loading_error(what, source, error) from error
    _require_all_tensors(what, source, report["missing_keys"])
    return model


@contextmanager
def _hide_progress_bar(source: str) -> Iterator[None]:
    """Hide the progress bar of transformers for embedded weights, which load in a tenth of a second."""
    hides = source in weights.list_weights() and logging.is_progress_bar_enabled()
    if hides:
        logging.disable_progress_bar()
    try:
        yield
    finally:
        if hides:
            logging.enable_progress_bar()


def open_tokenizer(source: str) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a causal LM; raise `ModelError` if that fails."""
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(_resolve_source(source))
    except (OSError, ValueError) as error:
        raise _make_loading_error("tokenizer", source, error) from error
    return tokenizer


def pick_dtype(wanted: Literal["auto", "float32", "bfloat16"], device: torch.device) -> torch.dtype:
    """Choose the precision of the frozen parts; auto: bfloat16 where `device` multiplies it faster than float32."""
    if wanted != "auto":
        return torch.bfloat16 if wanted == "bfloat16" else torch.float32
    fast = device.type == "cuda" or torch.cpu.get_capabilities().get("avx512_bf16", False)
    return torch.bfloat16 if fast else torch.float32


def _resolve_source(source: str) -> str | Path:
    return weights.ensure_folder(source) if source in weights.list_weights() else source


def _require_all_tensors(what: str, source: str, missing: Collection[str]) -> None:
    """Refuse incomplete weights: transformers would fill the missing tensors with random numbers."""
    if missing:
        names = sorted(missing)
        raise _make_loading_error(what, source, ValueError(f"it lacks {len(names)} tensors, such as {names[0]}."))


def _make_loading_error(what: str, source: str, error: Exception) -> ModelError:
    reason = str(error).splitlines()[0]
    if _is_path(source) and not Path(source).is_dir():
        reason = "there is no such folder."
    return ModelError(
        f"{source!r} holds no {what} that can be loaded: {reason} "
        "Name embedded weights (`earwitness models list`), a folder in Hugging Face format, or a Hub id."
    )


def _is_path(source: str) -> bool:
    """Tell whether a name can only be a path: ids of the Hub are NAME or OWNER/NAME."""
    return source.startswith((".", "/", "~")) or source.count("/") > 1
