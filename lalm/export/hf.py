"""Hugging Face model class of an exported LALM, registered with `AutoModelForCausalLM`; its processor too.

After `import lalm.export.hf`, plain `transformers` opens what `python -m lalm.export` wrote:

    import lalm.export.hf
    processor = AutoProcessor.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
"""

# Shape suffixes: N sequences, L tokens, C clips of a sequence, T samples, A audio embeddings, H backbone width

from typing import Self

import torch
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoProcessor,
    Cache,
    GenerationMixin,
    PreTrainedModel,
)
from transformers.modeling_outputs import CausalLMOutputWithPast
from transformers.models.whisper.configuration_whisper import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from lalm.export.hf_config import LalmConfig
from lalm.export.hf_processor import LalmProcessor
from lalm.model.build import add_lora
from lalm.model.config import ConnectorConfig, LoraConfig
from lalm.model.connector import Connector
from lalm.model.encoder import Encoder
from lalm.model.frames import pad_segments
from lalm.model.model import AudioLanguageModel

IGNORED = -100  # label of a token without loss, as in transformers


class Lalm(PreTrainedModel, GenerationMixin):  # type: ignore[misc]
    """Encoder, connector and backbone; LoRA is not merged into the weights, so that results stay bit-identical."""

    config_class = LalmConfig

    def __init__(self, config: LalmConfig) -> None:
        super().__init__(config)
        size = ConnectorConfig.model_validate(config.connector)
        whisper = WhisperEncoder(WhisperConfig.from_dict(config.encoder))
        self.encoder = Encoder(whisper, num_taps=size.num_taps, window=config.window)
        backbone = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config.backbone))
        connector = Connector(
            size,
            [self.encoder.shape],
            num_heads=self.encoder.num_heads,
            backbone_width=backbone.config.hidden_size,
        )
        if config.lora is not None:
            add_lora(backbone, LoraConfig.model_validate(config.lora))
        self.language = AudioLanguageModel(connector, backbone)
        self.freeze()
        self.post_init()
        # transformers looks for shared weights in direct children only
        prefix = "language.backbone"
        tied = {f"{prefix}.{name}": f"{prefix}.{source}" for name, source in backbone.all_tied_weights_keys.items()}
        self.all_tied_weights_keys |= tied

    @classmethod
    def from_pretrained(cls, *where: object, **settings: object) -> Self:
        """Load a folder as transformers does, and freeze the frozen parts again, which it makes trainable."""
        loaded = super().from_pretrained(*where, **settings)
        model: Self = loaded[0] if isinstance(loaded, tuple) else loaded  # with `output_loading_info` it is a pair
        model.freeze()
        return loaded  # type: ignore[no-any-return]

    def freeze(self) -> None:
        """Leave only the connector and the adapters trainable, as `lalm.train` does."""
        self.encoder.requires_grad_(requires_grad=False)
        for name, value in self.language.backbone.named_parameters():
            value.requires_grad_(requires_grad=".lora_" in name)

    def forward(
        self,
        input_ids: Tensor,
        input_values: Tensor | None = None,
        input_lengths: Tensor | None = None,
        *,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        labels: Tensor | None = None,
        logits_to_keep: int | Tensor = 0,
        **settings: object,
    ) -> CausalLMOutputWithPast:
        """Run the model on a batch; without clips the LoRA adapters are disabled, as in the run.

        Args:
            input_ids: shape (N, L); `audio_token_id` once for each audio embedding, clip after clip.
            input_values: samples of the clips at 16 kHz, padded, shape (N, C, T); None: no clips.
            input_lengths: number of samples of each clip, shape (N, C); 0: no clip.
            attention_mask: shape (N, L), 0 where padded, at either side; or (N, 1, L, L), bool, of packed sequences.
            position_ids: shape (N, L); by default counted over the attention mask.
            labels: shape (N, L); the loss is over all but `IGNORED` and audio tokens.
            logits_to_keep: number of last positions, or which ones, whose logits are computed; 0: all.
            settings: of the backbone's own `forward`, such as `past_key_values` and `use_cache`.

        Returns:
            The output of the backbone: logits, shape (N, L, vocabulary), the loss if there are labels, and the cache.

        Raises:
            ValueError: audio tokens and clips do not fit each other, or only some sequences of a model with adapters
                have a clip.
        """
        is_audio_NL = input_ids == self.config.audio_token_id
        if attention_mask is not None and attention_mask.ndim == 2 and position_ids is None:
            position_ids = (attention_mask.long().cumsum(-1) - 1).clamp(min=0)[:, -input_ids.shape[1] :]
        if attention_mask is not None and attention_mask.ndim == 4:
            attention_mask = self.language.convert_mask(attention_mask)
        if labels is not None:
            labels = labels.masked_fill(is_audio_NL, IGNORED)
        hears = input_lengths is not None and self._hears(input_lengths)
        audio_AH = None
        # In the later steps of `generate` the clips are in the KV cache, and only activate the adapters.
        if input_values is not None and input_lengths is not None and not _continues(settings.get("past_key_values")):
            audio_AH = self._embed_clips(input_values, input_lengths)
        with self.language.use_adapters(active=hears):
            return self.language.backbone(
                inputs_embeds=self._embed_tokens(input_ids, is_audio_NL, audio_AH),
                attention_mask=attention_mask,
                position_ids=position_ids,
                labels=labels,
                logits_to_keep=logits_to_keep,
                **settings,
            )

    def _hears(self, lengths_NC: Tensor) -> bool:
        """Return whether there are clips; a batch has its adapters active or not, so all or no rows must have clips."""
        hears_N = lengths_NC.sum(1) > 0
        if self.language.has_adapters and hears_N.any() and not hears_N.all():
            raise ValueError(
                f"Of {len(hears_N)} sequences {int(hears_N.sum())} have a clip. The adapters are active only with a "
                "clip: put sequences without one into a batch of their own."
            )
        return bool(hears_N.any())

    def _embed_clips(self, samples_NCT: Tensor, lengths_NC: Tensor) -> Tensor | None:
        """Return the audio embeddings of all clips, row after row, shape (A, H); None where there are no clips."""
        clips = [
            samples_T[:length].float()
            for samples_T, length in zip(samples_NCT.flatten(0, 1), lengths_NC.flatten().tolist(), strict=True)
            if length
        ]
        segments = [(part,) for clip in clips for part in self.encoder.encode_samples(clip)]
        return self.language.embed_audio(pad_segments(segments)) if segments else None

    def _embed_tokens(self, ids_NL: Tensor, is_audio_NL: Tensor, audio_AH: Tensor | None) -> Tensor:
        """Return the backbone's input embeddings, shape (N, L, H), audio embeddings in their places, in order."""
        num_places, num_heard = int(is_audio_NL.sum()), 0 if audio_AH is None else len(audio_AH)
        if num_places != num_heard:
            raise ValueError(
                f"input_ids has places for {num_places} audio embeddings, and the clips take {num_heard}: prepare "
                "both with the processor of the folder."
            )
        slots_A = -1 - torch.arange(num_places, device=ids_NL.device)
        ids_L = ids_NL.masked_scatter(is_audio_NL, slots_A).flatten()
        return self.language.embed_prompt(ids_L, audio_AH).view(*ids_NL.shape, -1)


def _continues(cache: object) -> bool:
    """Return whether a KV cache holds earlier tokens."""
    return isinstance(cache, Cache) and cache.get_seq_length() > 0


AutoModel.register(LalmConfig, Lalm)
AutoModelForCausalLM.register(LalmConfig, Lalm)
AutoProcessor.register(LalmConfig, LalmProcessor)
