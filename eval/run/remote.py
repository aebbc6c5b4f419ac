"""HTTP client of a running Earwitness service, as an answerer for benchmarks."""

import asyncio
import json
from collections.abc import Awaitable

from services.clients.chat_audio import AUDIO_PLACE, ClipEncoder, encode_flac
from services.clients.json_api import Server, insert_audio
from services.deadline import BASE_S
from services.longform.clock import WHOLE_S
from services.settings import read_settings
from services.types import Answer, AudioClip, Question

QUESTIONS = "/v1/audio/questions"
MARGIN_S = 300.0  # beyond the service's own deadline, so that its error arrives
NUM_RETRIES = 4


class RemoteAnswerer:
    """An answerer behind the HTTP API; the service chooses the models.

    Args:
        url: where the service listens, such as http://127.0.0.1:8000; `/v1` at its end, as clients of OpenAI's API have
            it, is left out.
        path: the way from question to answer that it is asked to take.
    """

    def __init__(self, url: str, path: str) -> None:
        self._path = path
        key = read_settings().api_key
        service = url.rstrip("/").removesuffix("/v1")
        self._server = Server(service, api_key=key, timeout_s=BASE_S + MARGIN_S, num_retries=NUM_RETRIES)
        self._clips = ClipEncoder()

    async def answer(self, question: Question, *clips: AudioClip) -> Answer:
        """Post the question to the service, and read its answer."""
        request: dict[str, object] = {
            "question": question.text,
            "choices": [choice.text for choice in question.choices],
            "path": self._path,
            "as_published": True,
        }
        if question.wants_reasons:
            request["explain"] = True
        audio = await asyncio.gather(*map(self._encode, clips))
        if clips:
            request["audio"] = AUDIO_PLACE if len(clips) == 1 else [AUDIO_PLACE] * len(clips)
        answer = await self._server.post(
            QUESTIONS,
            insert_audio(json.dumps(request), *audio),
            Answer.model_validate_json,
            extra_s=sum(clip.duration_s for clip in clips),
        )
        return answer.model_copy(update={"question_id": question.id})

    def _encode(self, clip: AudioClip) -> Awaitable[bytes]:
        return encode_flac(clip) if clip.duration_s > WHOLE_S else self._clips.encode_base64(clip)
