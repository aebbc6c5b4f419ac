"""Stubs: each speaks the protocol of a model, and passes calls on to the replica that runs it.

The replica is behind the handle of a Ray Serve deployment, or an object of this process (`fused`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeAlias

from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle

from services.deployments.ray_internals import send_directly
from services.deployments.replicas import ModelCard, Replica, ReplicaReply
from services.errors import EarwitnessError, ModelError, Overloaded
from services.protocols import AudioClips, GivenEvidence, SpokenSegment, TranscriptionGuide
from services.request_context import RequestContext, get_context
from services.telemetry.tracing import format_traceparent, start_span
from services.types import AudioClip, Choice, Evidence, Focus, Message, Reading

MOST_DIRECT = 2 << 20  # bytes of a clip; Ray's gRPC takes messages of 4 MiB, its object store any
NUM_TRIES = 2  # calls are idempotent, so one whose replica died is retried on another one, once


AskReplica: TypeAlias = Callable[..., Awaitable[ReplicaReply]]
"""Calls a replica: takes the context of the request, the name of a method, and its arguments."""


def ask_deployment(handle: DeploymentHandle) -> AskReplica:
    """Return what calls the replicas of a deployment."""
    direct, by_reference = send_directly(handle).call, handle.call  # each look-up of a method makes a handle

    async def ask(call: RequestContext, method: str, *arguments: object) -> ReplicaReply:
        """Call a replica; a long clip goes by reference."""
        is_long = _count_bytes(arguments) > MOST_DIRECT
        said: ReplicaReply = await ask_replica(by_reference if is_long else direct, call, method, *arguments)
        return said

    return ask


def ask_fused(replica: Replica) -> AskReplica:
    """Return what calls a replica of this process."""

    async def ask(call: RequestContext, method: str, *arguments: object) -> ReplicaReply:
        """Call the replica, and raise the error that it returns."""
        said = await replica.call(call, method, *arguments)
        if isinstance(said, EarwitnessError):
            raise said
        assert isinstance(said, ReplicaReply)
        return said

    return ask


class ModelStub:
    """Stands for a model; the subclasses speak its protocol."""

    def __init__(self, ask: AskReplica, card: ModelCard) -> None:
        self.name, self.revision, self.style = card.name, card.revision, card.style
        self.takes_guide = card.takes_guide
        self.takes_reply_options = card.takes_reply_options
        self.takes_schema = card.takes_schema
        self._ask = ask

    async def _call(self, method: str, *arguments: object) -> Any:  # noqa: ANN401 - each subclass names the type
        call = get_context()
        with start_span(method, {"model": self.name}):
            handed = replace(call, lookups=[], traceparent=format_traceparent())
            said = await self._ask(handed, method, *arguments)
        call.lookups.extend(said.lookups)
        return said.value


class LLMStub(ModelStub):
    """An LLM behind a replica."""

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        """Complete on a replica."""
        reading: Reading = await self._call("complete", messages)
        return reading

    async def complete_as(self, messages: tuple[Message, ...], schema: dict[str, Any]) -> Reading:
        """Complete on a replica, in JSON; only of a model whose card says that it can."""
        reading: Reading = await self._call("complete_as", messages, schema)
        return reading

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Choose on a replica."""
        reading: Reading = await self._call("choose", messages, choices)
        return reading

    async def compare(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Compare on a replica; only of a model whose style says that it can."""
        reading: Reading = await self._call("compare", messages, choices)
        return reading


class CaptionerStub(ModelStub):
    """A captioner behind a replica."""

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        """Caption on a replica."""
        evidence: tuple[Evidence, ...] = await self._call("caption", clip, focus)
        return evidence


class ASRStub(ModelStub):
    """An ASR behind a replica."""

    async def transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        """Transcribe on a replica."""
        evidence: tuple[Evidence, ...] = await self._call("transcribe", clip)
        return evidence

    async def transcribe_guided(self, clip: AudioClip, guide: TranscriptionGuide) -> tuple[SpokenSegment, ...]:
        """Transcribe on a replica; only where the card says that the ASR can be guided."""
        segments: tuple[SpokenSegment, ...] = await self._call("transcribe_guided", clip, guide)
        return segments


class LALMStub(ModelStub):
    """An audio-language model behind a replica."""

    async def listen(self, messages: tuple[Message, ...], clip: AudioClip, given: GivenEvidence = None) -> Reading:
        """Listen on a replica."""
        reading: Reading = await self._call("listen", messages, clip, *_pass_if_given(given))
        return reading

    async def choose(
        self, messages: tuple[Message, ...], clip: AudioClip, choices: tuple[Choice, ...], given: GivenEvidence = None
    ) -> Reading:
        """Choose on a replica."""
        reading: Reading = await self._call("choose", messages, clip, choices, *_pass_if_given(given))
        return reading

    async def listen_to_several(
        self, messages: tuple[Message, ...], clips: AudioClips, given: GivenEvidence = None
    ) -> Reading:
        """Listen on a replica; only of a model whose style says that it hears several."""
        reading: Reading = await self._call("listen_to_several", messages, clips, *_pass_if_given(given))
        return reading

    async def choose_of_several(
        self, messages: tuple[Message, ...], clips: AudioClips, choices: tuple[Choice, ...], given: GivenEvidence = None
    ) -> Reading:
        """Choose on a replica; only of a model whose style says that it hears several."""
        reading: Reading = await self._call("choose_of_several", messages, clips, choices, *_pass_if_given(given))
        return reading


def _count_bytes(argument: object) -> int:
    """Return the bytes of the clips in an argument of a call."""
    if isinstance(argument, tuple):
        return sum(map(_count_bytes, argument))
    return argument.samples.nbytes if isinstance(argument, AudioClip) else 0


def _pass_if_given(given: tuple[Evidence, ...] | None) -> tuple[tuple[Evidence, ...], ...]:
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
            raise Overloaded("All replicas of a model are busy, and the queue is full; try again.") from error
        except (RayActorError, DeploymentUnavailableError) as error:
            stopped = error
            continue
        if isinstance(result, EarwitnessError):
            raise result
        return result
    raise ModelError("A model of the service has stopped; it is being restarted, try again.") from stopped
