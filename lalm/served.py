"""Somebody else's LALM behind an OpenAI-compatible server, such as Qwen2.5-Omni or Audio Flamingo in vLLM."""

from typing import Any

from services.chat_audio import ClipEncoder, audio_part
from services.chat_server import ChatServer, Endpoint
from services.llms.openai_server import Chooser
from services.types import AudioClip, Choice, Message, Reading, ReadingStyle


class ServedLALM:
    """A LALM that is sent the clip as 16-bit WAV beside the question."""

    revision = "served"
    style = ReadingStyle()

    def __init__(self, endpoint: Endpoint, *, name: str) -> None:
        self.name = name
        self._server = ChatServer(endpoint)
        self._chooser = Chooser(self._server, logprobs=endpoint.logprobs)
        self._clips = ClipEncoder()

    async def listen(self, messages: tuple[Message, ...], clip: AudioClip) -> Reading:
        said = await self._server.ask(self._body(messages), await self._clips.base64(clip))
        return Reading(reply=said.reply, usage=said.usage)

    async def choose(self, messages: tuple[Message, ...], clip: AudioClip, choices: tuple[Choice, ...]) -> Reading:
        return await self._chooser.choose(self._body(messages), choices, await self._clips.base64(clip))

    def _body(self, messages: tuple[Message, ...]) -> dict[str, Any]:
        """Return the request; the clip stands in the last message, before its text."""
        *earlier, last = messages
        heard = {"role": last.role, "content": [audio_part(), {"type": "text", "text": last.content}]}
        return self._server.body([*(message.model_dump() for message in earlier), heard])
