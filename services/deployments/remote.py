"""Remote models: a handle to a Ray Serve deployment that speaks the protocol of the model behind it."""

import asyncio
from dataclasses import replace
from typing import Any

from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle

from services.deployments.ray_internals import send_directly
from services.deployments.replicas import ModelCard, ReplicaReply
from services.errors import EarwitnessError, ModelError, Overloaded
from services.request_context import current_context
from services.telemetry.tracing import current_traceparent, span
from services.types import (
    AudioClip,
    Choice,
    Evidence,
    Focus,
    Message,
    Reading,
    SpokenSegment,
    TranscriptionGuide,
)

MOST_DIRECT = 2 << 20  # bytes of a clip; Ray's gRPC takes messages of 4 MiB, its object store any
NUM_TRIES = 2  # calls are idempotent, so one whose replica died is retried on another one, once


class RemoteModel:
    """A model behind a handle; the subclasses speak its protocol."""

    def __init__(self, handle: DeploymentHandle, card: ModelCard) -> None:
        self.name, self.revision, self.style = card.name, card.revision, card.style
        self.takes_guide = card.takes_guide
        self._direct, self._by_reference = send_directly(handle), handle

    async def _call(self, method: str, *arguments: object) -> Any:  # noqa: ANN401 - each subclass names the type
        call = current_context()
        with span(method, {"model": self.name}):
            handed = replace(call, lookups=[], traceparent=current_traceparent())
            is_long = any(isinstance(one, AudioClip) and one.samples.nbytes > MOST_DIRECT for one in arguments)
            handle = self._by_reference if is_long else self._direct
            said: ReplicaReply = await ask_replica(handle.call, handed, method, *arguments)
        call.lookups.extend(said.lookups)
        return said.value


class RemoteLLM(RemoteModel):
    """An LLM in a deployment."""

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        """Complete on a replica."""
        reading: Reading = await self._call("complete", messages)
        return reading

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Choose on a replica."""
        reading: Reading = await self._call("choose", messages, choices)
        return reading

    async def compare(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Compare on a replica; only of a model whose style says that it can."""
        reading: Reading = await self._call("compare", messages, choices)
        return reading


class RemoteCaptioner(RemoteModel):
    """A captioner in a deployment."""

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        """Caption on a replica."""
        evidence: tuple[Evidence, ...] = await self._call("caption", clip, focus)
        return evidence


class RemoteASR(RemoteModel):
    """An ASR in a deployment."""

    async def transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        """Transcribe on a replica."""
        evidence: tuple[Evidence, ...] = await self._call("transcribe", clip)
        return evidence

    async def transcribe_guided(self, clip: AudioClip, guide: TranscriptionGuide) -> tuple[SpokenSegment, ...]:
        """Transcribe on a replica; only where the card says that the ASR can be guided."""
        segments: tuple[SpokenSegment, ...] = await self._call("transcribe_guided", clip, guide)
        return segments


class RemoteLALM(RemoteModel):
    """An audio-language model in a deployment."""

    async def listen(
        self, messages: tuple[Message, ...], clip: AudioClip, given: tuple[Evidence, ...] | None = None
    ) -> Reading:
        """Listen on a replica."""
        reading: Reading = await self._call("listen", messages, clip, *_if_given(given))
        return reading

    async def choose(
        self,
        messages: tuple[Message, ...],
        clip: AudioClip,
        choices: tuple[Choice, ...],
        given: tuple[Evidence, ...] | None = None,
    ) -> Reading:
        """Choose on a replica."""
        reading: Reading = await self._call("choose", messages, clip, choices, *_if_given(given))
        return reading


def _if_given(given: tuple[Evidence, ...] | None) -> tuple[tuple[Evidence, ...], ...]:
    """Return the last argument of a LALM; without it a model is called that may not take any."""
    return () if given is None else (given,)


async def ask_replica(method: Any, *arguments: object) -> Any:  # noqa: ANN401 - Ray's handles are untyped
    """Call a replica, with one retry on another; cancelling the caller cancels the call in the replica too.

    Raises the errors of the model as they were raised there, `Overloaded` where every replica is busy and their
    queues are full (back-pressure), and `ModelError` where the replicas stopped.
    """
    for _ in range(NUM_TRIES):
        response = method.remote(*arguments)
        try:
            result = await response
        except asyncio.CancelledError:
            response.cancel()
            raise
        except BackPressureError as error:
            raise Overloaded("All replicas of a model are busy and enough questions wait for them.") from error
        except (RayActorError, DeploymentUnavailableError) as error:
            stopped = error
            continue
        if isinstance(result, EarwitnessError):
            raise result
        return result
    raise ModelError("A model of the service has stopped; it is being restarted, try again.") from stopped
