"""In-process inference of a LALM made by `lalm.train`: scores options by likelihood, generates replies greedily.

The score of an option is the mean log-probability of its tokens, minus `PRIOR_WEIGHT` times the same for silence
(contextual calibration: Zhao et al. 2021, arXiv:2102.09690; domain-conditional PMI: Holtzman et al. 2021,
arXiv:2104.08315), because a short or common option is likely whatever the clip holds. A run with a naming head adds the
similarity of the clip to the words of the option (`lalm/model/naming_head.py`).
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lalm.model.build import build
from lalm.model.frames import SEGMENT_SAMPLES, count_segments, pad_segments, split_segments
from lalm.model.packing import PackedGroup, PackedRow, pack_groups
from lalm.model.template import make_prompt_clip
from lalm.prompting import AUDIO, insert_audio
from lalm.runtimes.option_namer import open_namer
from lalm.runtimes.recent_clips import RecentClips
from lalm.runtimes.transcript import transcribe
from lalm.train import checkpoint, run_files
from services.cancellation import raise_if_cancelled
from services.errors import ModelError, TooLarge
from services.llms.batching import Batch, Batcher
from services.llms.cancelled_replies import StopWhenCancelled, stop_between_layers
from services.llms.sampling import pick_likeliest
from services.protocols import ASR, GivenEvidence
from services.types import SAMPLE_RATE, AudioClip, Choice, Evidence, Message, Reading, Usage

MAX_TOKENS = 128  # of a reply
MAX_BATCH = 8  # questions per batch
LONG_S = 60.0  # of a clip that is batched by itself, so that others need not wait for it
PRIOR_WEIGHT = 0.75  # of the log-probability after silence; chosen on our validation set, see docs/log
SILENCE = AudioClip(np.zeros(2 * SAMPLE_RATE, dtype=np.float32))
NUM_KEPT = 32  # clips whose embeddings stay in memory


class _PromptRequest(NamedTuple):
    """An encoded question about a clip, and the encoded options to score."""

    clip: AudioClip
    prompt: tuple[int, ...]
    about_silence: tuple[int, ...] = ()
    """The same question about silence, for calibration."""
    replies: tuple[tuple[int, ...], ...] = ()
    options: tuple[str, ...] = ()
    """The words of the options."""

    def is_long(self) -> bool:
        """Return whether the clip takes so long to encode that others should not wait for it."""
        return self.clip.duration_s > LONG_S


class _ScoredPrompt(NamedTuple):
    """An encoded prompt about a clip, and the replies to score."""

    clip: AudioClip
    prompt: tuple[int, ...]
    replies: tuple[tuple[int, ...], ...]


class InProcessTrainedLALM:
    """A LALM made by `lalm.train`, run by transformers in this process; implements `LALM`.

    Args:
        folder: of the run.
        name: catalogue name.
        asr: writes the transcript that the model was trained to see after the audio; None: without transcripts.

    Raises:
        BadConfig: the run folder cannot be used.
        ModelError: a frozen part cannot be loaded.
    """

    def __init__(self, folder: Path, *, name: str, asr: ASR | None) -> None:
        self.name = name
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        config = run_files.read_config(folder).model
        self.style = run_files.find_style(config)
        self._built = build(config, self._device)
        checkpoint.load_weights(self._built.model, folder)
        self.revision = run_files.compute_whole_revision(folder)
        self._built.model.eval()
        self._namer = open_namer(folder, config, self._built)
        stop_between_layers(self._built.model)
        self._asr = asr
        self._embed_clip = RecentClips(self._hear_clip, size=NUM_KEPT)
        # In bfloat16 the rest of a batch changes a score by more than the difference between two options.
        is_exact = next(self._built.model.backbone.parameters()).dtype == torch.float32
        self._scores = Batcher(self._score, max_size=MAX_BATCH if is_exact else 1, is_long=_PromptRequest.is_long)
        self._replies = Batcher(self._reply, max_size=MAX_BATCH, is_long=_PromptRequest.is_long)

    async def listen(self, messages: tuple[Message, ...], clip: AudioClip, given: GivenEvidence = None) -> Reading:
        """Generate a reply about the clip, batched with other prompts that wait."""
        given = await transcribe(self._asr, clip) if given is None else given
        reading = await self._replies.submit(_PromptRequest(clip, self._encode_asked(messages, clip, given)))
        return reading.model_copy(update={"given": given})

    async def choose(
        self, messages: tuple[Message, ...], clip: AudioClip, choices: tuple[Choice, ...], given: GivenEvidence = None
    ) -> Reading:
        """Compare the options' likelihoods about the clip, less those about silence (the prior), and their names."""
        given = await transcribe(self._asr, clip) if given is None else given
        prompt, about_silence = self._encode_asked(messages, clip, given), self._encode_asked(messages, SILENCE, ())
        replies = tuple(self._built.template.encode_reply(choice.text) for choice in choices)
        options = tuple(choice.text for choice in choices)
        scores = await self._scores.submit(_PromptRequest(clip, prompt, about_silence, replies, options))
        by_letter = {choice.letter: each for choice, each in zip(choices, scores, strict=True)}
        reading = pick_likeliest(by_letter, num_tokens=len(prompt) + len(about_silence))
        return reading.model_copy(update={"given": given})

    def _encode_asked(
        self, messages: tuple[Message, ...], clip: AudioClip, given: tuple[Evidence, ...]
    ) -> tuple[int, ...]:
        """Encode the prompt with the clip before the last message, and what is given beside it, as in training."""
        *earlier, last = (Message(role=one.role, content=one.content.replace(AUDIO, "")) for one in messages)
        asked = (*earlier, Message(role=last.role, content=insert_audio(last.content)))
        prompt = self._built.template.encode_prompt(asked, [make_prompt_clip(clip, given)])
        self._check_length(prompt, clip)
        return prompt

    def _check_length(self, prompt: tuple[int, ...], clip: AudioClip) -> None:
        """Raise `TooLarge` for a clip that does not fit the context of the backbone, with a question and a reply."""
        room = int(self._built.model.backbone.config.max_position_embeddings) - MAX_TOKENS
        if len(prompt) > room:
            num_text = len(prompt) - self._count_slots(clip)
            most = max(0, room - num_text) // self._num_queries * SEGMENT_SAMPLES // SAMPLE_RATE
            raise TooLarge(
                f"The clip lasts {clip.duration_s:.1f} s; with this question the LALM {self.name!r} hears at most "
                f"{most} s. Cut it, or take another path."
            )

    @torch.inference_mode()
    def _score(self, asked: Sequence[_PromptRequest]) -> Sequence[tuple[float, ...]]:
        """Score each option, its end-of-turn token included, with two forward passes for all questions of the batch."""
        heard = self._average_logprobs([_ScoredPrompt(one.clip, one.prompt, one.replies) for one in asked])
        raise_if_cancelled()
        expected = self._average_logprobs([_ScoredPrompt(SILENCE, one.about_silence, one.replies) for one in asked])
        gained = heard - PRIOR_WEIGHT * expected
        if self._namer:
            gained += torch.cat([self._namer.score(one.clip, one.options) for one in asked])
        scores = gained.tolist()
        if not all(map(math.isfinite, scores)):
            raise ModelError(f"{self.name!r} gives no numbers: the trained weights are damaged. Train it again.")
        ends = list(accumulate(len(one.replies) for one in asked))
        return [tuple(scores[end - len(one.replies) : end]) for one, end in zip(asked, ends, strict=True)]

    def _average_logprobs(self, asked: Sequence[_ScoredPrompt]) -> Tensor:
        """Return the mean log-probability per token of each reply, in nats, for all prompts one after the other."""
        groups = [
            PackedGroup(tuple(PackedRow(one.prompt, reply) for reply in one.replies), self._count_slots(one.clip))
            for one in asked
        ]
        packed = pack_groups(groups).to(self._device)
        audio_AH = torch.cat([self._embed_clip(one.clip) for one in asked])
        return packed.average_by_row(self._built.model.score_replies(packed, audio_AH))

    @torch.inference_mode()
    def _reply(self, batch: Batch[_PromptRequest]) -> Sequence[Reading]:
        return [self._generate(one, partial(batch.is_cancelled, number)) for number, one in enumerate(batch)]

    def _generate(self, asked: _PromptRequest, is_cancelled: Callable[[], bool]) -> Reading:
        """Return the greedy reply, which ends early when it is cancelled."""
        if is_cancelled():
            return Reading(reply="")
        model, template = self._built.model, self._built.template
        ids_L = torch.tensor(asked.prompt, device=self._device)
        inputs_1LH = model.embed_prompt(ids_L, self._embed_clip(asked.clip))[None]
        written_1R = model.backbone.generate(
            inputs_embeds=inputs_1LH,
            attention_mask=torch.ones(inputs_1LH.shape[:2], dtype=torch.long, device=self._device),
            max_new_tokens=MAX_TOKENS,
            do_sample=False,
            stopping_criteria=[StopWhenCancelled(lambda _: is_cancelled())],
            eos_token_id=template.turn_end[-1],
            pad_token_id=template.turn_end[-1],
        )
        reply = written_1R[0].tolist()
        usage = Usage(prompt_tokens=len(asked.prompt), completion_tokens=len(reply))
        return Reading(reply=template.decode_reply(reply), usage=usage)

    def _hear_clip(self, clip: AudioClip) -> Tensor:
        """Compute the audio embeddings of a clip, shape (A, H).

        Segments are encoded one after the other and only their embeddings kept: the features of an hour take 1.5 GB.
        """
        return torch.cat([self._embed_segment(part) for part in split_segments(clip)])

    def _embed_segment(self, part: AudioClip) -> Tensor:
        raise_if_cancelled()
        embedded = self._built.model.embed_audio(pad_segments(self._built.encoders(part)))
        assert embedded is not None, "there are features"
        return embedded

    def _count_slots(self, clip: AudioClip) -> int:
        return count_segments(clip) * self._num_queries

    @property
    def _num_queries(self) -> int:
        return self._built.model.connector.queries_KQD.shape[1]
