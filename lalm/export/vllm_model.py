"""vLLM 0.32 model class of our LALM: our encoder and connector, and vLLM's own implementation of the backbone.

A clip takes as many tokens as its 30 s segments have queries. vLLM caches the audio embeddings of a clip (encoder
cache) and the KV cache of a prompt prefix, so a second question about a clip costs only its own tokens. LoRA is merged
into the backbone when weights are loaded; unlike in the run, it is therefore also active in prompts without audio.

Overrides several private methods of vLLM, which change between minor versions: `lalm/export/vllm_plugin.py` checks the
version before this module is imported.
"""

# Shape suffixes: S segments of a clip, Q queries, A = S * Q, H backbone width

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BatchFeature
from transformers.models.whisper.configuration_whisper import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder
from vllm.config import VllmConfig
from vllm.config.multimodal import MultiModalDummyOptions
from vllm.model_executor.models.interfaces import SupportsMultiModal, SupportsPP
from vllm.model_executor.models.utils import (
    AutoWeightsLoader,
    WeightsMapper,
    init_vllm_registered_model,
    maybe_prefix,
)
from vllm.multimodal import MULTIMODAL_REGISTRY
from vllm.multimodal.inputs import MultiModalFieldConfig, MultiModalKwargsItems
from vllm.multimodal.parse import AudioProcessorItems, MultiModalDataItems, MultiModalDataParser
from vllm.multimodal.processing import (
    BaseDummyInputsBuilder,
    BaseMultiModalProcessor,
    BaseProcessingInfo,
    PromptReplacement,
    PromptUpdate,
)
from vllm.sequence import IntermediateTensors

from lalm.model.config import ConnectorConfig, LoraConfig
from lalm.model.connector import Connector
from lalm.model.encoder import Encoder
from lalm.model.frames import SEGMENT_SAMPLES, pad_segments
from lalm.prompting import AUDIO, TRANSCRIPT_END
from services.types import SAMPLE_RATE

MAX_SEGMENTS = 10  # per clip; vLLM reserves memory for the longest
LOW_RANK, LOW_RANK_UP, ADAPTED = ".lora_A.audio.weight", ".lora_B.audio.weight", ".base_layer.weight"


class LalmProcessingInfo(BaseProcessingInfo):  # type: ignore[misc]
    """Limits of the audio input, which vLLM asks for at start-up."""

    @property
    def num_queries(self) -> int:
        """Tokens per segment of audio."""
        return int(self.get_hf_config().connector["num_queries"])

    def get_data_parser(self) -> MultiModalDataParser:
        """Have vLLM resample audio to 16 kHz mono."""
        return MultiModalDataParser(target_sr=SAMPLE_RATE, audio_resample_method="soxr", target_channels=1)

    def get_supported_mm_limits(self) -> Mapping[str, int | None]:
        """Allow any number of clips in a prompt."""
        return {"audio": None}

    def get_mm_max_tokens_per_item(self, seq_len: int, mm_counts: Mapping[str, int] | None = None) -> Mapping[str, int]:
        """Return the number of tokens of the longest clip that fits into the context."""
        return {"audio": self.count_max_segments(seq_len) * self.num_queries}

    def count_max_segments(self, seq_len: int) -> int:
        """Return the maximum number of segments per clip in a prompt of `seq_len` tokens."""
        return max(1, min(MAX_SEGMENTS, seq_len // self.num_queries))


class LalmDummyInputs(BaseDummyInputsBuilder[LalmProcessingInfo]):  # type: ignore[misc]
    """Dummy clips of maximum length, with which vLLM profiles memory."""

    def get_dummy_text(self, mm_counts: Mapping[str, int]) -> str:
        """Return the dummy prompt of vLLM's memory profiling: one placeholder per clip."""
        return AUDIO * mm_counts.get("audio", 0)

    def get_dummy_mm_data(
        self, seq_len: int, mm_counts: Mapping[str, int], mm_options: MultiModalDummyOptions
    ) -> dict[str, Any]:
        """Return the dummy clips of vLLM's memory profiling, of maximum length."""
        length, number = self.info.count_max_segments(seq_len) * SEGMENT_SAMPLES, mm_counts.get("audio", 0)
        overrides = mm_options.get("audio")
        return {"audio": self._get_dummy_audios(length=length, num_audios=number, overrides=overrides)}


class LalmVllmProcessor(BaseMultiModalProcessor[LalmProcessingInfo]):  # type: ignore[misc]
    """Passes samples through unchanged, and replaces each placeholder with the tokens of its clip."""

    def _call_hf_processor(self, hf_data: Mapping[str, Any], hf_kwargs: Mapping[str, object]) -> BatchFeature:
        del hf_kwargs
        clips = [torch.as_tensor(samples, dtype=torch.float32) for samples in hf_data["audio"]]
        longest_s = MAX_SEGMENTS * SEGMENT_SAMPLES / SAMPLE_RATE
        for samples in clips:
            if not 0 < len(samples) <= longest_s * SAMPLE_RATE:
                raise ValueError(
                    f"The clip lasts {len(samples) / SAMPLE_RATE:.2f} s; more than none and at most {longest_s:g} s "
                    "can be heard. Cut it."
                )
        return BatchFeature({"samples": clips})

    def _get_mm_fields_config(
        self, hf_inputs: BatchFeature, hf_processor_mm_kwargs: Mapping[str, object]
    ) -> Mapping[str, MultiModalFieldConfig]:
        return {"samples": MultiModalFieldConfig.batched("audio")}

    def _get_prompt_updates(
        self,
        mm_items: MultiModalDataItems,
        hf_processor_mm_kwargs: Mapping[str, object],
        out_mm_kwargs: MultiModalKwargsItems,
    ) -> Sequence[PromptUpdate]:
        tokenizer = self.info.get_tokenizer()
        # The placeholder is outside the backbone's vocabulary; eos_token stands in for it, its embedding is replaced.
        place, slot = tokenizer.convert_tokens_to_ids(AUDIO), tokenizer.eos_token_id

        def make_slots(clip: int) -> list[int]:
            """Return the placeholder tokens of a clip: `num_queries` for each segment."""
            length = mm_items.get_items("audio", AudioProcessorItems).get_audio_length(clip)
            return [slot] * (math.ceil(length / SEGMENT_SAMPLES) * self.info.num_queries)

        return [PromptReplacement(modality="audio", target=[place], replacement=make_slots)]

    def _postprocess_prompt(self, prompt: list[int]) -> list[int]:
        """Remove the end-of-transcript token, which only kept the text around it from being tokenised together."""
        end = self.info.get_tokenizer().convert_tokens_to_ids(TRANSCRIPT_END)
        return [token for token in prompt if token != end]


@MULTIMODAL_REGISTRY.register_processor(LalmVllmProcessor, info=LalmProcessingInfo, dummy_inputs=LalmDummyInputs)
class LalmForServing(nn.Module, SupportsMultiModal, SupportsPP):  # type: ignore[misc]
    """Encoder, connector, and any backbone that vLLM supports."""

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        super().__init__()
        config = vllm_config.model_config.hf_config
        size = ConnectorConfig.model_validate(config.connector)
        self.config = config
        with self._mark_tower_model(vllm_config, "audio"):  # type: ignore[operator]
            whisper = WhisperEncoder(WhisperConfig.from_dict(config.encoder))
            self.encoder = Encoder(whisper, num_taps=size.num_taps, window=config.window)
            self.connector = Connector(
                size,
                [self.encoder.shape],
                num_heads=self.encoder.num_heads,
                backbone_width=config.text_config.hidden_size,
            )
        self.connector.float().eval()  # as it was trained
        with self._mark_language_model(vllm_config):  # type: ignore[operator]
            self.language_model = init_vllm_registered_model(
                vllm_config=vllm_config, hf_config=config.text_config, prefix=maybe_prefix(prefix, "language_model")
            )
        self.make_empty_intermediate_tensors = self.language_model.make_empty_intermediate_tensors

    @classmethod
    def get_placeholder_str(cls, modality: str, i: int) -> str | None:
        """Return the placeholder of a clip in a prompt; None for other modalities."""
        return AUDIO if modality.startswith("audio") else None

    def embed_input_ids(self, input_ids: Tensor, *heard: object, **where: object) -> Tensor:
        """Embed a prompt; a placeholder without a clip is outside the vocabulary, and clamped to its last token."""
        last = self.config.text_config.vocab_size - 1
        embeddings: Tensor = super().embed_input_ids(input_ids.clamp(max=last), *heard, **where)
        return embeddings

    def embed_multimodal(self, *, samples: Tensor | Sequence[Tensor]) -> list[Tensor]:
        """Return the embeddings of each clip, shape (A, H)."""
        dtype, device = next(self.language_model.parameters()).dtype, self.encoder.whisper.conv1.weight.device
        return [self._embed_clip(one.flatten().to(device, torch.float32)).to(dtype) for one in samples]

    def _embed_clip(self, samples: Tensor) -> Tensor:
        segments = [(part.float(),) for part in self.encoder.encode_samples(samples)]
        heard_SQH: Tensor = self.connector(pad_segments(segments))
        return heard_SQH.flatten(0, 1)

    def forward(
        self,
        input_ids: Tensor | None,
        positions: Tensor,
        intermediate_tensors: IntermediateTensors | None = None,
        inputs_embeds: Tensor | None = None,
        **_: object,
    ) -> Tensor | IntermediateTensors:
        """Run the backbone; with pipeline parallelism, stages after the first take no embeddings."""
        if intermediate_tensors is not None:
            inputs_embeds = None
        return self.language_model(input_ids, positions, intermediate_tensors, inputs_embeds=inputs_embeds)

    def compute_logits(self, hidden_states: Tensor) -> Tensor | None:
        """Return the backbone's logits."""
        logits: Tensor | None = self.language_model.compute_logits(hidden_states)
        return logits

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> set[str]:
        """Load the weights that `lalm.export.hf_folder` wrote."""
        names = WeightsMapper(
            orig_to_new_prefix={"language.backbone.": "language_model.", "language.connector.": "connector."}
        )
        lora = self.config.lora and LoraConfig.model_validate(self.config.lora)
        loaded: set[str] = AutoWeightsLoader(self).load_weights(merge_lora(weights, lora), mapper=names)
        return loaded


def merge_lora(weights: Iterable[tuple[str, Tensor]], lora: LoraConfig | None) -> Iterator[tuple[str, Tensor]]:
    """Merge LoRA adapters into the weights that they adapt, W + (alpha / rank) B A, in whatever order they arrive."""
    waiting: dict[str, dict[str, Tensor]] = {}
    for name, weight in weights:
        suffix = next((one for one in (ADAPTED, LOW_RANK, LOW_RANK_UP) if name.endswith(one)), None)
        if suffix is None or lora is None:
            yield name.replace(".base_layer.", "."), weight  # a bias
            continue
        layer = name.removesuffix(suffix)
        three = waiting.setdefault(layer, {})
        three[suffix] = weight
        if len(three) == 3:
            update = three[LOW_RANK_UP].float() @ three[LOW_RANK].float() * (lora.alpha / lora.rank)
            yield f"{layer}.weight", three[ADAPTED] + update.to(three[ADAPTED].dtype)
            del waiting[layer]
    assert not waiting, f"adapters without the weight that they adapt: {sorted(waiting)}"
