"""Client for a run of `lalm.train` on a vLLM server: same prompts and same option scores as in process.

Prompts are tokenised here with the configuration of the run and compared with the tokens that the server reports; a
mismatch is an error. Each option takes one request about the clip and one about silence.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lalm.model import parts
from lalm.model.template import ChatTemplate, PromptClip, make_prompt_clip
from lalm.prompting import AUDIO, TRANSCRIPT_END, insert_audio
from lalm.runtimes.in_process import MAX_TOKENS, PRIOR_WEIGHT, SILENCE
from lalm.runtimes.served_scores import ReplyScorer, ScoreRequest
from lalm.runtimes.transcript import transcribe
from lalm.train import run_files
from services.clients.chat_audio import ClipEncoder, build_audio_part
from services.clients.chat_server import ChatServer, Endpoint
from services.llms.sampling import pick_likeliest
from services.protocols import ASR, GivenEvidence
from services.types import AudioClip, Choice, Message, Reading


class ServedTrainedLALM:
    """A LALM made by `lalm.train`, exported, and served by vLLM; implements `LALM`.

    Args:
        folder: of the run.
        endpoint: where it is served.
        name: catalogue name.
        asr: writes the transcript that the model was trained to see after the audio; None: without transcripts.
    """

    revision = "served"

    def __init__(self, folder: Path, endpoint: Endpoint, *, name: str, asr: ASR | None) -> None:
        self.name = name
        config = run_files.read_config(folder).model
        self.style = run_files.find_style(config)
        tokenizer = parts.open_tokenizer(config.backbone)
        self._template = ChatTemplate(tokenizer, config.connector.num_queries, form=config.prompt)
        self._asr, self._clips = asr, ClipEncoder()
        self._chat = ChatServer(endpoint.model_copy(update={"max_tokens": MAX_TOKENS}))
        self._scores = ReplyScorer(endpoint)

    async def listen(self, messages: tuple[Message, ...], clip: AudioClip, given: GivenEvidence = None) -> Reading:
        """Send the clip with its transcript to vLLM, and return its reply."""
        given = await transcribe(self._asr, clip) if given is None else given
        body = self._chat.build_body(self._build_messages(messages, make_prompt_clip(clip, given)))
        said = await self._chat.ask(body, await self._clips.encode_base64(clip))
        return Reading(reply=said.reply.strip(), usage=said.usage, given=given, is_finished=said.is_finished)

    async def choose(
        self, messages: tuple[Message, ...], clip: AudioClip, choices: tuple[Choice, ...], given: GivenEvidence = None
    ) -> Reading:
        """Compare the options' likelihoods about the clip, less those about silence (the prior), all asked at once."""
        given = await transcribe(self._asr, clip) if given is None else given
        about = ((clip, make_prompt_clip(clip, given)), (SILENCE, make_prompt_clip(SILENCE, ())))
        heard = [(part, shown, choice.text) for choice in choices for part, shown in about]
        asked = await asyncio.gather(
            *(self._make_score_request(messages, part, shown, text) for part, shown, text in heard)
        )
        means = await asyncio.gather(*map(self._scores.compute_mean_logprob, asked))
        pairs = zip(choices, means[::2], means[1::2], strict=True)
        scores = {choice.letter: mean - PRIOR_WEIGHT * expected for choice, mean, expected in pairs}
        num_tokens = sum(len(self._encode_prompt(messages, shown)) for _, shown in about)
        return pick_likeliest(scores, num_tokens=num_tokens).model_copy(update={"given": given})

    async def _make_score_request(
        self, messages: tuple[Message, ...], clip: AudioClip, shown: PromptClip, text: str
    ) -> ScoreRequest:
        """Make the request that scores the option with this text."""
        turns, prompt = self._build_messages(messages, shown), self._encode_prompt(messages, shown)
        reply, plain = self._template.encode_reply(text), self._template.escape_control_tokens(text)
        return ScoreRequest(turns, await self._clips.encode_base64(clip), prompt, reply, plain)

    def _encode_prompt(self, messages: tuple[Message, ...], shown: PromptClip) -> tuple[int, ...]:
        *earlier, last = _strip_audio_tags(messages)
        asked = (*earlier, Message(role=last.role, content=insert_audio(last.content)))
        return self._template.encode_prompt(asked, [shown])

    def _build_messages(self, messages: tuple[Message, ...], shown: PromptClip) -> list[dict[str, Any]]:
        """Build the messages of a request, with an empty audio part for the clip."""
        plain, words = self._template.escape_control_tokens, self._template.format_beside(shown)
        said = [Message(role=one.role, content=plain(one.content)) for one in _strip_audio_tags(messages)]
        *earlier, last = self._template.adapt_roles(said)
        before, after = insert_audio(last.content).split(AUDIO)
        end = words + TRANSCRIPT_END if words else ""
        content = [{"type": "text", "text": before}, build_audio_part(), {"type": "text", "text": end + after}]
        return [*(one.model_dump() for one in earlier), {"role": last.role, "content": content}]


def _strip_audio_tags(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Remove audio placeholders from the text of messages, against prompt injection."""
    return tuple(
        Message(role=one.role, content=one.content.replace(AUDIO, "").replace(TRANSCRIPT_END, "")) for one in messages
    )
