"""In-process inference of Qwen2-Audio and Qwen2.5-Omni (its thinker) with transformers: no remote code.

With `earwitness[qwen]` the prompt is made as the model cards do (`lalm/runtimes/qwen_card.py`). Without it tokenizer
and feature extractor are called directly: the processor of Qwen2.5-Omni and qwen-omni-utils both require torchvision,
for images and videos that are not used here.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoConfig,
    AutoTokenizer,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen2AudioForConditionalGeneration,
    WhisperFeatureExtractor,
)

from lalm.model.parts import LOADING_ERRORS
from lalm.runtimes.qwen_card import CardPreparation, has_card_tools
from lalm.runtimes.request_form import JOINED, RequestForm, put_beside
from services.cancellation import is_cancelled, run_in_executor
from services.errors import ModelError
from services.llms.cancelled_replies import StopWhenCancelled, stop_between_layers
from services.llms.sampling import pick_likeliest
from services.protocols import GivenEvidence
from services.types import SAMPLE_RATE, AudioClip, Choice, Message, Reading, ReadingStyle, Usage

MAX_TOKENS = 256
MAX_CLIPS = {"qwen2_audio": 8, "qwen2_5_omni_thinker": 3}
SPEECH_OUTPUT = ("talker.", "token2wav.")  # prefixes of tensors of Qwen2.5-Omni that are not used
AUDIO_BEFORE, AUDIO, AUDIO_AFTER = "<|audio_bos|>", "<|AUDIO|>", "<|audio_eos|>"
TURN = "<|im_start|>{role}\n{content}<|im_end|>\n"
REPLY = "<|im_start|>assistant\n"


class InProcessQwen:
    """Qwen2-Audio or Qwen2.5-Omni from a Hugging Face folder, on the GPU if there is one; implements `LALM`.

    Questions are answered one at a time.

    Raises:
        ModelError: the folder cannot be loaded, or its tensors do not fit the architecture.
    """

    style = ReadingStyle(takes_evidence=True)

    def __init__(self, folder: Path, *, name: str, revision: str) -> None:
        self.name = name
        self._card = CardPreparation(folder) if has_card_tools() else None
        self.revision = f"{revision}+{self._card.revision}" if self._card else revision
        device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = torch.bfloat16 if device == "cuda" else torch.float32
        try:
            config: Any = AutoConfig.from_pretrained(folder)
            config = config.thinker_config if config.model_type == "qwen2_5_omni" else config
            kind: Any = (
                Qwen2AudioForConditionalGeneration
                if config.model_type == "qwen2_audio"
                else Qwen2_5OmniThinkerForConditionalGeneration
            )
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
            self._features: Any = WhisperFeatureExtractor.from_pretrained(folder)
            model, info = kind.from_pretrained(
                folder,
                config=config,
                dtype=dtype,
                use_safetensors=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # refused below, by name
            )
        except LOADING_ERRORS as error:
            raise ModelError(f"'{folder}' cannot be opened as a LALM: {str(error).splitlines()[0]}") from error
        if missing := sorted(info["missing_keys"]):
            raise ModelError(f"'{folder}' lacks {len(missing)} tensors of a {config.model_type}, such as {missing[0]}.")
        if misshapen := sorted(info["mismatched_keys"]):
            name, found, wanted = misshapen[0]
            raise ModelError(f"'{folder}': {name} has the shape {tuple(found)} instead of {tuple(wanted)}.")
        if extra := sorted(name for name in info["unexpected_keys"] if not name.startswith(SPEECH_OUTPUT)):
            raise ModelError(
                f"'{folder}' holds {len(extra)} tensors that are not part of a {config.model_type}, such as {extra[0]}."
            )
        self._model: Any = model.to(device).eval()
        stop_between_layers(self._model)
        self._numbers_clips = config.model_type == "qwen2_audio"
        window_s = self._features.n_samples / SAMPLE_RATE
        self._form = RequestForm(max_clip_s=window_s, max_clips=MAX_CLIPS[config.model_type])
        self._thread = ThreadPoolExecutor(
            1, thread_name_prefix="lalm"
        )  # a cancelled request keeps the thread until it has stopped

    async def listen(self, messages: tuple[Message, ...], clip: AudioClip, given: GivenEvidence = None) -> Reading:
        """Generate a reply about the clip in the model's thread."""
        reading = await run_in_executor(self._thread, partial(self._reply, put_beside(messages, given), clip))
        return reading.model_copy(update={"given": given or ()})

    async def choose(
        self, messages: tuple[Message, ...], clip: AudioClip, choices: tuple[Choice, ...], given: GivenEvidence = None
    ) -> Reading:
        """Compare the logits of the options' letters in the model's thread."""
        asked = put_beside(messages, given)
        reading = await run_in_executor(self._thread, partial(self._score, asked, clip, choices))
        return reading.model_copy(update={"given": given or ()})

    @torch.inference_mode()
    def _score(self, messages: tuple[Message, ...], clip: AudioClip, choices: tuple[Choice, ...]) -> Reading:
        inputs = self._make_inputs(messages, clip)
        logits_V = self._model(**inputs).logits[0, -1].float()
        ids = {one.letter: self._tokenizer.encode(one.letter, add_special_tokens=False)[0] for one in choices}
        logits = {letter: logits_V[number].item() for letter, number in ids.items()}
        return pick_likeliest(logits, num_tokens=inputs["input_ids"].shape[1])

    @torch.inference_mode()
    def _reply(self, messages: tuple[Message, ...], clip: AudioClip) -> Reading:
        inputs = self._make_inputs(messages, clip)
        num_tokens = inputs["input_ids"].shape[1]
        ends = StopWhenCancelled(lambda _: is_cancelled())
        out_T = self._model.generate(**inputs, max_new_tokens=MAX_TOKENS, do_sample=False, stopping_criteria=[ends])[
            0, num_tokens:
        ]
        text = self._tokenizer.decode(out_T, skip_special_tokens=True)
        return Reading(reply=text.strip(), usage=Usage(prompt_tokens=num_tokens, completion_tokens=len(out_T)))

    def _make_inputs(self, messages: tuple[Message, ...], clip: AudioClip) -> dict[str, torch.Tensor]:
        """Make the model inputs: token ids (1, num_tokens), log-mel (num_clips, num_mels, num_frames), masks."""
        parts = [part.samples for part in self._form.split_clip(clip, self.name)]
        note = JOINED.format(num_parts=len(parts)) if len(parts) > 1 else ""
        made = self._card(messages, parts, note) if self._card else self._prepare(messages, parts, note)
        made["input_features"] = made["input_features"].to(self._model.dtype)
        return {key: tensor.to(self._model.device) for key, tensor in made.items()}

    def _prepare(self, messages: tuple[Message, ...], parts: list[np.ndarray], note: str) -> dict[str, torch.Tensor]:
        """Prepare the inputs with tokenizer and feature extractor alone."""
        heard = self._features(
            parts, sampling_rate=SAMPLE_RATE, padding="max_length", return_attention_mask=True, return_tensors="pt"
        )
        mask_BF = heard["attention_mask"]
        # A convolution with stride 2, then average pooling: each halves the frames.
        lengths = [((num - 1) // 2 + 1 - 2) // 2 + 1 for num in mask_BF.sum(-1).tolist()]
        ids_1T = self._tokenizer(
            self._format_prompt(messages, lengths, note), add_special_tokens=False, return_tensors="pt"
        )
        return {
            "input_ids": ids_1T["input_ids"],
            "attention_mask": ids_1T["attention_mask"],
            "input_features": heard["input_features"],
            "feature_attention_mask": mask_BF,
        }

    def _format_prompt(self, messages: tuple[Message, ...], lengths: list[int], note: str) -> str:
        """Format the prompt as text, with as many audio tokens as each clip has."""
        *earlier, last = messages
        clips = [AUDIO_BEFORE + AUDIO * length + AUDIO_AFTER for length in lengths]
        if self._numbers_clips:
            clips = [f"Audio {number}: {clip}\n" for number, clip in enumerate(clips, start=1)]
        turns = [TURN.format(role=one.role, content=one.content) for one in earlier]
        asked = TURN.format(role=last.role, content="".join(clips) + note + last.content)
        return "".join([*turns, asked, REPLY])
