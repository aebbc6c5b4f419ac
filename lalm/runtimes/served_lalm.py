"""Client for any LALM on an OpenAI-compatible server, such as Qwen2.5-Omni or Audio Flamingo 3 in vLLM."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from lalm.runtimes.request_form import RequestForm, format_given
from lalm.runtimes.transcript import transcribe
from services.clients.chat_audio import ClipEncoder
from services.clients.chat_server import ChatServer, Endpoint
from services.llms.openai_server import Chooser
from services.llms.sampling import list_reply_options
from services.longform.hearing import name_recording
from services.protocols import ASR, AudioClips, GivenEvidence
from services.types import AudioClip, Choice, Evidence, Message, Reading, ReadingStyle

NUM_STATEMENTS, MAX_CHARS = 12, 2_000  # of the evidence; more would outweigh the recording


class _Request(NamedTuple):
    """Body of a chat request, and the audio of each part of the clips as base64."""

    body: dict[str, Any]
    audio: tuple[bytes, ...]
    given: tuple[Evidence, ...]
    """Transcript and evidence, where the model was given them."""


class ServedLALM:
    """A LALM on a server, to which clips are sent as 16-bit WAV with the question; implements `MultiClipLALM`.

    Args:
        endpoint: where it is served.
        name: catalogue name.
        form: request format and audio limits of the model.
        asr: writes the transcript for a model that takes one.
    """

    revision = "served"

    def __init__(
        self, endpoint: Endpoint, *, name: str, form: RequestForm | None = None, asr: ASR | None = None
    ) -> None:
        self.name = name
        self.takes_reply_options = endpoint.temperature is not None  # None: the model refuses such parameters
        self._form = form or RequestForm()
        self.style = ReadingStyle(
            takes_evidence=True,
            num_statements=NUM_STATEMENTS,
            max_chars=MAX_CHARS,
            max_clips=self._form.max_clips,
        )
        self._asr = asr
        self._server = ChatServer(endpoint)
        self._chooser = Chooser(self._server, logprobs=endpoint.logprobs)
        self._clips = ClipEncoder()

    async def listen(self, messages: tuple[Message, ...], clip: AudioClip, given: GivenEvidence = None) -> Reading:
        """Send the clip and the messages to the server, and return its reply."""
        return await self.listen_to_several(messages, (clip,), given)

    async def listen_to_several(
        self, messages: tuple[Message, ...], clips: AudioClips, given: GivenEvidence = None
    ) -> Reading:
        """Send all clips and the messages to the server, and return its reply."""
        request = await self._build_request(messages, clips, given)
        said = await self._server.ask(request.body | list_reply_options(), *request.audio)
        return Reading(reply=said.reply, usage=said.usage, given=request.given)

    async def choose(
        self, messages: tuple[Message, ...], clip: AudioClip, choices: tuple[Choice, ...], given: GivenEvidence = None
    ) -> Reading:
        """Choose by the log-probabilities of the letters, or by the reply where the server returns none."""
        return await self.choose_of_several(messages, (clip,), choices, given)

    async def choose_of_several(
        self, messages: tuple[Message, ...], clips: AudioClips, choices: tuple[Choice, ...], given: GivenEvidence = None
    ) -> Reading:
        """Choose in the same way about several clips."""
        request = await self._build_request(messages, clips, given)
        reading = await self._chooser.choose(request.body, choices, *request.audio)
        return reading.model_copy(update={"given": request.given})

    async def _build_request(
        self, messages: tuple[Message, ...], clips: AudioClips, given: tuple[Evidence, ...] | None
    ) -> _Request:
        by_clip = self._form.split_each(clips, self.name)
        parts = [part for of_clip in by_clip for part in of_clip]
        num_parts = tuple(map(len, by_clip)) if len(clips) > 1 else ()
        said: tuple[Evidence, ...] = ()
        transcripts, beside = ("",) * len(parts), ""
        if given is None:
            heard = await asyncio.gather(*(transcribe(self._asr, part) for part in parts))
            transcripts = tuple(" ".join(one.text for one in of_part) for of_part in heard)
            said = tuple(_place_words(by_clip, heard))
        else:
            beside = format_given(given)
        audio = await asyncio.gather(*map(self._clips.encode_base64, parts))
        built = self._form.build_messages(messages, transcripts, beside=beside, num_parts=num_parts)
        return _Request(self._server.build_body(built), tuple(audio), said if given is None else given)


def _place_words(
    by_clip: tuple[tuple[AudioClip, ...], ...], heard: Sequence[tuple[Evidence, ...]]
) -> Iterator[Evidence]:
    """Yield the transcripts of the parts of each clip, with times in the clip and, of several clips, its number."""
    of_parts = iter(heard)
    for number, parts in enumerate(by_clip, start=1):
        starts_s = accumulate((part.duration_s for part in parts), initial=0.0)
        shifted = (_shift(one, start_s) for _, start_s in zip(parts, starts_s, strict=False) for one in next(of_parts))
        yield from name_recording(tuple(shifted), number if len(by_clip) > 1 else None)


def _shift(statement: Evidence, by_s: float) -> Evidence:
    """Return a statement about a part of the clip with times in the clip."""
    end_s = None if statement.end_s is None else round(statement.end_s + by_s, 2)
    return statement.model_copy(update={"start_s": round(statement.start_s + by_s, 2), "end_s": end_s})
