"""Hugging Face model class of an exported LALM, registered with `AutoModel`.

After `import lalm.export.hf`, plain `transformers` opens what `python -m lalm.export` wrote:

    import lalm.export.hf
    model = AutoModel.from_pretrained(folder).eval()
    template = ChatTemplate(AutoTokenizer.from_pretrained(folder), model.config.connector["num_queries"])
"""

# Shape suffixes: L tokens, V vocabulary

from collections.abc import Sequence

from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput
from transformers.models.whisper.configuration_whisper import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from lalm.export.hf_config import LalmConfig
from lalm.model.build import add_lora
from lalm.model.config import ConnectorConfig, LoraConfig
from lalm.model.connector import Connector
from lalm.model.encoder import Encoder
from lalm.model.frames import pad_segments
from lalm.model.model import AudioLanguageModel
from services.types import AudioClip


class Lalm(PreTrainedModel):  # type: ignore[misc]
    """Encoder, connector and backbone; LoRA is not merged into the weights, so that results stay bit-identical."""

    config_class = LalmConfig

    def __init__(self, config: LalmConfig) -> None:
        super().__init__(config)
        size = ConnectorConfig.model_validate(config.connector)
        whisper = WhisperEncoder(WhisperConfig.from_dict(config.encoder))
        self.encoder = Encoder(whisper, num_taps=size.num_taps, window=config.window)
        backbone = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config.backbone))
        backbone.requires_grad_(requires_grad=False)
        connector = Connector(
            size,
            [self.encoder.shape],
            num_heads=self.encoder.num_heads,
            backbone_width=backbone.config.hidden_size,
        )
        if config.lora is not None:
            add_lora(backbone, LoraConfig.model_validate(config.lora))
        self.language = AudioLanguageModel(connector, backbone)
        self.post_init()
        # transformers looks for shared weights in direct children only
        prefix = "language.backbone"
        tied = {f"{prefix}.{name}": f"{prefix}.{source}" for name, source in backbone.all_tied_weights_keys.items()}
        self.all_tied_weights_keys |= tied

    def forward(
        self,
        input_ids: Tensor,
        clips: Sequence[AudioClip] = (),
        *,
        position_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> CausalLMOutput:
        """Run the model; return the logits of every position, shape (1, L, V).

        Args:
            input_ids: one sequence, shape (1, L); audio as negative numbers (`lalm/model/template.py`).
            clips: the clips of the prompt, in order.
            position_ids: shape (1, L); of a packed sequence.
            attention_mask: shape (1, 1, L, L), bool; of a packed sequence.

        Raises:
            ValueError: more than one sequence.
        """
        if len(input_ids) != 1:
            raise ValueError(
                f"input_ids has {len(input_ids)} sequences; the model takes one, or several packed into one."
            )
        features = pad_segments([(part,) for clip in clips for part in self.encoder(clip)]) if clips else None
        inputs_1LH = self.language.embed_prompt(input_ids[0], self.language.embed_audio(features))[None]
        with self.language.use_adapters(active=features is not None):
            logits_1LV = self.language.backbone(
                inputs_embeds=inputs_1LH, position_ids=position_ids, attention_mask=attention_mask, use_cache=False
            ).logits
        return CausalLMOutput(logits=logits_1LV.float())


AutoModel.register(LalmConfig, Lalm)
AutoModelForCausalLM.register(LalmConfig, Lalm)
