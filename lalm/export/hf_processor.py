"""Hugging Face processor of an exported LALM, registered with `AutoProcessor`: text and audio -> tensors of a batch."""

# Shape suffixes: N sequences, L tokens, C clips of a sequence, T samples

import math
from collections.abc import Sequence
from itertools import islice
from typing import Literal

import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import BatchFeature, PreTrainedTokenizerBase, ProcessorMixin

from lalm.model.frames import SEGMENT_SAMPLES
from lalm.prompting import AUDIO, TRANSCRIPT_END
from services.types import SAMPLE_RATE

SUPPORTED_SETTINGS = {
    "images": None,
    "videos": None,
    "add_special_tokens": False,
    "padding": True,
    "return_tensors": "pt",
}
"""Settings of other processors, with the only values that this one supports."""


class LalmProcessor(ProcessorMixin):  # type: ignore[misc]
    """Tokenizer that replaces each placeholder of a clip with as many audio tokens as the clip takes.

    Args:
        tokenizer: of the exported folder.
        num_queries: audio tokens per segment of at most 30 s.
        chat_template: takes content parts of type `audio` and `text`.
    """

    # transformers reads back from processor_config.json only what is not a keyword-only argument
    def __init__(self, tokenizer: PreTrainedTokenizerBase, num_queries: int, chat_template: str | None = None) -> None:
        super().__init__(tokenizer, chat_template=chat_template)
        self.num_queries = num_queries
        self.audio_token = AUDIO
        self.audio_token_id, self._end_id = tokenizer.convert_tokens_to_ids([AUDIO, TRANSCRIPT_END])

    def __call__(
        self,
        text: str | Sequence[str],
        audio: ArrayLike | Sequence[ArrayLike] | None = None,
        *,
        sampling_rate: int = SAMPLE_RATE,
        padding_side: Literal["left", "right"] = "left",
        **settings: object,
    ) -> BatchFeature:
        """Prepare a batch for `Lalm`, padded; its texts are encoded as they are, without special tokens added.

        Args:
            text: one or more prompts, with `<|AUDIO|>` in place of each clip.
            audio: the clips of all prompts in order, mono, shape (T,) each; or the only one.
            sampling_rate: Hz; only 16,000.
            padding_side: left, as `generate` needs it, or right.
            settings: what `apply_chat_template` adds, only with the values of `SUPPORTED_SETTINGS`.

        Returns:
            `input_ids` and `attention_mask`, shape (N, L); with clips `input_values`, shape (N, C, T), and their
            `input_lengths`, shape (N, C).

        Raises:
            ValueError: another setting or rate, a clip without samples or with channels, or not one placeholder a clip.
        """
        for name, value in settings.items():
            if name not in SUPPORTED_SETTINGS or value != SUPPORTED_SETTINGS[name]:
                raise ValueError(f"{name}={value!r} is not understood; leave it out.")
        if sampling_rate != SAMPLE_RATE:
            raise ValueError(f"sampling_rate is {sampling_rate}; resample the clips to {SAMPLE_RATE} Hz.")
        texts = [text] if isinstance(text, str) else list(text)
        clips = [] if audio is None else _read_clips(audio)
        encoded = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        num_clips_N = [ids.count(self.audio_token_id) for ids in encoded]
        if sum(num_clips_N) != len(clips):
            raise ValueError(
                f"The texts have {sum(num_clips_N)} placeholders {AUDIO}, and there are {len(clips)} clips: put one "
                "placeholder for each clip."
            )
        left = iter(clips)
        by_row = [list(islice(left, num)) for num in num_clips_N]
        ids_N = [torch.tensor(self._place(ids, row)) for ids, row in zip(encoded, by_row, strict=True)]
        masks_N = [torch.ones_like(ids_L) for ids_L in ids_N]
        pad_id = self.tokenizer.pad_token_id
        tensors = {
            "input_ids": pad_sequence(ids_N, batch_first=True, padding_value=pad_id, padding_side=padding_side),
            "attention_mask": pad_sequence(masks_N, batch_first=True, padding_side=padding_side),
        }
        return BatchFeature(tensors | (_pad_clips(by_row) if clips else {}))

    def _place(self, ids: Sequence[int], clips: Sequence[Tensor]) -> list[int]:
        """Repeat each placeholder for its clip, and drop the end-of-transcript tokens, which only separate text."""
        sizes = iter([math.ceil(len(clip) / SEGMENT_SAMPLES) * self.num_queries for clip in clips])
        placed: list[int] = []
        for token in ids:
            if token != self._end_id:
                placed.extend([token] * (next(sizes) if token == self.audio_token_id else 1))
        return placed


def _read_clips(audio: ArrayLike | Sequence[ArrayLike]) -> list[Tensor]:
    """Return the clips as float32 tensors, shape (T,)."""
    several = audio if isinstance(audio, list | tuple) and len(audio) and hasattr(audio[0], "__len__") else [audio]
    clips = [torch.as_tensor(one, dtype=torch.float32) for one in several]
    for clip in clips:
        if clip.ndim != 1 or not len(clip):
            raise ValueError(f"A clip has shape {tuple(clip.shape)}; give mono samples, shape (num_samples,).")
    return clips


def _pad_clips(by_row: Sequence[Sequence[Tensor]]) -> dict[str, Tensor]:
    """Pad the clips of each sequence to the longest, and their number to the largest."""
    longest, most = max(len(clip) for row in by_row for clip in row), max(map(len, by_row))
    values_NCT, lengths_NC = torch.zeros(len(by_row), most, longest), torch.zeros(len(by_row), most, dtype=torch.long)
    for number, row in enumerate(by_row):
        for place, clip in enumerate(row):
            values_NCT[number, place, : len(clip)] = clip
            lengths_NC[number, place] = len(clip)
    return {"input_values": values_NCT, "input_lengths": lengths_NC}
