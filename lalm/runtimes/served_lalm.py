"""Client for any LALM on an OpenAI-compatible server, such as Qwen2.5-Omni or Audio Flamingo 3 in vLLM."""

import asyncio
from itertools import accumulate
from typing import Any, NamedTuple

from lalm.runtimes.request_form import RequestForm, format_given
from lalm.runtimes.transcript import transcribe
from services.clients.chat_audio import ClipEncoder
from services.clients.chat_server import ChatServer, Endpoint
from services.llms.openai_server import Chooser
from services.llms.sampling import list_reply_options
from services.protocols import ASR
from services.types import AudioClip, Choice, Evidence, Message, Reading, ReadingStyle

NUM_STATEMENTS, MAX_CHARS = 12, 2_000  # of a summary of the evidence: short, lest it outweigh the recording


class _Request(NamedTuple):
    """Body of a chat request, and the audio of each part of the clip as base64."""

    body: dict[str, Any]
    audio: tuple[bytes, ...]
    given: tuple[Evidence, ...]
    """Transcript and evidence, where the model was given them."""


class ServedLALM:
    """A LALM on a server, which is sent the clip as 16-bit WAV with the question; implements `LALM`.

    Args:
        endpoint: where it is served.
        name: catalogue name.
        form: request format and audio limits of the model.
        asr: writes the transcript for a model that takes one.
    """

    revision = "served"
    style = ReadingStyle(takes_evidence=True, num_statements=NUM_STATEMENTS, max_chars=MAX_CHARS)

    def __init__(
        self, endpoint: Endpoint, *, name: str, form: RequestForm | None = None, asr: ASR | None = None
    ) -> None:
        self.name = name
        self.takes_reply_options = endpoint.temperature is not None  # None: the model refuses such parameters
        self._form = form or RequestForm()
        self._asr = asr
        self._server = ChatServer(endpoint)
        self._chooser = Chooser(self._server, logprobs=endpoint.logprobs)
        self._clips = ClipEncoder()

    async def listen(
        self, messages: tuple[Message, ...], clip: AudioClip, given: tuple[Evidence, ...] | None = None
    ) -> Reading:
        """Send the clip and the messages to the server, and return its reply."""
        request = await self._build_request(messages, clip, given)
        said = await self._server.ask(request.body | list_reply_options(), *request.audio)
        return Reading(reply=said.reply, usage=said.usage, given=request.given)

    async def choose(
        self,
        messages: tuple[Message, ...],
        clip: AudioClip,
        choices: tuple[Choice, ...],
        given: tuple[Evidence, ...] | None = None,
    ) -> Reading:
        """Choose by the log-probabilities of the letters, or by the reply where the server returns none."""
        request = await self._build_request(messages, clip, given)
        reading = await self._chooser.choose(request.body, choices, *request.audio)
        return reading.model_copy(update={"given": request.given})

    async def _build_request(
        self, messages: tuple[Message, ...], clip: AudioClip, given: tuple[Evidence, ...] | None
    ) -> _Request:
        parts = self._form.split_clip(clip, self.name)
        if given is not None:
            audio = await asyncio.gather(*map(self._clips.encode_base64, parts))
            built = self._form.build_messages(messages, ("",) * len(parts), beside=format_given(given))
            return _Request(self._server.build_body(built), tuple(audio), given)
        said = await asyncio.gather(*(transcribe(self._asr, part) for part in parts))
        audio = await asyncio.gather(*map(self._clips.encode_base64, parts))
        transcripts = tuple(" ".join(one.text for one in of_part) for of_part in said)
        starts_s = accumulate((part.duration_s for part in parts), initial=0.0)
        words = tuple(_shift(one, start_s) for of_part, start_s in zip(said, starts_s, strict=False) for one in of_part)
        return _Request(self._server.build_body(self._form.build_messages(messages, transcripts)), tuple(audio), words)


def _shift(statement: Evidence, by_s: float) -> Evidence:
    """Return a statement about a part of the clip with times in the clip."""
    end_s = None if statement.end_s is None else round(statement.end_s + by_s, 2)
    return statement.model_copy(update={"start_s": round(statement.start_s + by_s, 2), "end_s": end_s})
