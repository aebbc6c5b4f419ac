"""Captioner on an OpenAI-compatible server: any audio-chat model, such as Qwen3-Omni-Captioner or Gemini."""

from hashlib import sha256

from services.clients.chat_audio import ClipEncoder, build_audio_part
from services.clients.chat_server import ChatServer, Endpoint
from services.errors import ModelError
from services.types import AudioClip, Evidence, Focus

PROMPT = (
    "Describe this audio in detail: every sound, in order, with its start and end in seconds; who speaks "
    "(sex, age, emotion, accent) and what is said; music with instruments, tempo, key and mood; background and "
    "recording quality; how often each sound occurs. Put words that are said in double quotes. Say what you hear and "
    "nothing else."
)
FOCUS = " Listen above all for what this question needs, without answering it: {focus}"


class ServedCaptioner:
    """A captioner that sends the clip as 16-bit WAV and returns the reply as one statement."""

    def __init__(self, endpoint: Endpoint, *, name: str) -> None:
        self.name = name
        self.revision = f"{endpoint.model.replace('/', '--')}-{sha256((PROMPT + FOCUS).encode()).hexdigest()[:8]}"
        self._server = ChatServer(endpoint)
        self._clips = ClipEncoder()

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        """Ask the server for a caption of the whole clip; an empty reply is a `ModelError`."""
        prompt = PROMPT + (FOCUS.format(focus=_word_focus(focus)) if focus else "")
        body = self._server.build_body(
            [{"role": "user", "content": [build_audio_part(), {"type": "text", "text": prompt}]}]
        )
        text = (await self._server.ask(body, await self._clips.encode_base64(clip))).reply
        if not text:
            raise ModelError(f"The captioner {self.name!r} sent an empty reply; ask again.")
        return (
            Evidence(
                kind="caption", source=self.name, revision=self.revision, text=text.strip(), end_s=clip.duration_s
            ),
        )


def _word_focus(focus: Focus) -> str:
    """Return a focus in words: `topic: question; options: first; second`."""
    topic = f"{focus.topic}: " if focus.topic else ""
    options = f"; options: {'; '.join(focus.options)}" if focus.options else ""
    return f"{topic}{focus.question}{options}"
