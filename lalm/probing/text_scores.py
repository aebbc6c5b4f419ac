"""Scores of the options of a text question with and without a recording in the prompt and the LoRA adapters (ablation).

The four conditions have the same wording, options and score (mean log-probability of an option's tokens). Without
recording and adapters it is the bare backbone, as is a LALM of `lalm.train` without a recording.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lalm.model.frames import count_segments, pad_segments, split_segments
from lalm.model.packing import PackedGroup, PackedRow, pack_groups
from lalm.model.template import PromptClip
from lalm.probing.opened import OpenedRun
from lalm.prompting import AUDIO, format_prompt, insert_audio
from services.errors import TooLarge
from services.types import AudioClip, Message, Question


class Condition(NamedTuple):
    """Condition of the ablation that a text question is asked under."""

    has_recording: bool
    has_adapters: bool


BARE = Condition(has_recording=False, has_adapters=False)
HEARING = Condition(has_recording=True, has_adapters=True)
"""The whole LALM, as it is asked about a recording."""
ONLY_TOKENS = Condition(has_recording=True, has_adapters=False)
ONLY_ADAPTERS = Condition(has_recording=False, has_adapters=True)


class TextScorer:
    """Scores the options of text questions.

    Args:
        opened: the model.
    """

    def __init__(self, opened: OpenedRun) -> None:
        self.name, self.revision, self.backbone = opened.name, opened.revision, opened.config.backbone
        self._opened, self._built = opened, opened.built
        self._heard: dict[str, Tensor] = {}

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions that differ: a model without adapters has two."""
        every = (BARE, HEARING, ONLY_TOKENS, ONLY_ADAPTERS)
        return every if self._built.model.has_adapters else (BARE, ONLY_TOKENS)

    @torch.inference_mode()
    def score(self, question: Question, clip: AudioClip, condition: Condition) -> tuple[float, ...]:
        """Return the mean log-probability per token of each option, in nats.

        Raises:
            TooLarge: the recording leaves no room for the question.
        """
        model, template = self._built.model, self._built.template
        asked = format_prompt(question, lists_options=False).replace(AUDIO, "")
        content = insert_audio(asked) if condition.has_recording else asked
        clips = [PromptClip(count_segments(clip))] if condition.has_recording else []
        prompt = template.encode_prompt([Message(role="user", content=content)], clips)
        replies = [template.encode_reply(choice.text) for choice in question.choices]
        self._require_room(prompt, replies)
        audio_AH = self._embed(clip) if condition.has_recording else self._embed(clip)[:0]
        rows = tuple(PackedRow(prompt, reply) for reply in replies)
        packed = pack_groups([PackedGroup(rows, len(audio_AH))]).to(self._opened.device)
        with model.use_adapters(active=condition.has_adapters):
            logprobs_R = model.score_replies(packed, audio_AH)
        means: list[float] = packed.average_by_row(logprobs_R).tolist()
        return tuple(means)

    def _embed(self, clip: AudioClip) -> Tensor:
        """Return the audio embeddings of a clip, shape (A, H)."""
        if clip.sha256 not in self._heard:
            model, encoders = self._built.model, self._built.encoders
            parts = [model.embed_audio(pad_segments(encoders(part))) for part in split_segments(clip)]
            self._heard[clip.sha256] = torch.cat([part for part in parts if part is not None])
        return self._heard[clip.sha256]

    def _require_room(self, prompt: tuple[int, ...], replies: list[tuple[int, ...]]) -> None:
        room = int(self._built.model.backbone.config.max_position_embeddings)
        needed = len(prompt) + max(map(len, replies))
        if needed > room:
            raise TooLarge(
                f"A question with its recording takes {needed} tokens, and the backbone of {self.name!r} reads at most "
                f"{room}: name a shorter --recording."
            )
