"""Ray Serve: one deployment wraps any opened model; a Remote* handle speaks the model's protocol."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any, NamedTuple, TypeAlias

from ray import serve
from ray.exceptions import RayActorError
from ray.serve._private import replica
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle
from ray.util import get_node_ip_address

from services.call import Call, Lookup, current_call
from services.errors import EarwitnessError, ModelError, Overloaded
from services.limits import Scale
from services.log_lines import LOGGER, start_logging
from services.protocols import ASR, LALM, LLM, Captioner
from services.tracing import span, traceparent
from services.types import AudioClip, Choice, Evidence, Message, Reading, ReadingStyle, Value
from services.watched import watched

AnyModel: TypeAlias = LLM | Captioner | ASR | LALM
MOST_DIRECT = 2 << 20  # bytes of a clip; Ray's gRPC takes messages of 4 MiB, its object store any
LOOPBACK = "127.0.0.1"
NUM_TRIES = 2  # asking a model changes nothing, so a call whose replica died is asked of another one, once


class Card(Value):
    """What a model says of itself."""

    name: str
    revision: str
    style: ReadingStyle = ReadingStyle()
    """Of an LLM or a LALM; the others have none."""


class Said(NamedTuple):
    """What a model said, and what the perception cache had to do with it."""

    value: object
    lookups: tuple[Lookup, ...]


def listen_near() -> None:
    """Have the port of this process's replica on loopback, where the whole of Ray is; called before the replica is up.

    Ray Serve 2.60 opens it on every interface, "[::]:0", and has no setting for it. On a cluster it has to.
    """
    if get_node_ip_address() == LOOPBACK:
        open_port = replica.add_port_to_grpc_server
        replica.add_port_to_grpc_server = lambda server, _: open_port(server, f"{LOOPBACK}:0")


class Replica:
    """Opens a model when the replica starts; so the replica is up when the model is loaded."""

    def __init__(self, open_model: Callable[[], AnyModel], role: str) -> None:
        start_logging()
        listen_near()
        started = perf_counter()
        LOGGER.info("loading", extra={"facts": {"deployment": role}})
        self._model = open_model()
        seconds = round(perf_counter() - started, 1)
        LOGGER.info("loaded", extra={"facts": {"deployment": role, "model": self._model.name, "seconds": seconds}})

    async def card(self) -> Card:
        """Say which model this is."""
        style = getattr(self._model, "style", ReadingStyle())
        return Card(name=self._model.name, revision=self._model.revision, style=style)

    async def call(self, call: Call, method: str, *arguments: object) -> object:
        """Call a method of the model's protocol.

        An error that the user can mend is returned, because Ray would log what is raised as a bug.
        """
        try:
            with watched(call, self._model.name, method):
                said = await getattr(self._model, method)(*arguments)
        except EarwitnessError as error:
            return error
        return Said(said, tuple(call.lookups))


def deployment(open_model: Callable[[], AnyModel], role: str, scale: Scale, version: str) -> serve.Application:
    """Bind the deployment that opens a model; `role` is its name.

    Replicas of the same `version` are kept when the application is deployed again; what else changed, such as their
    number, changes around them.
    """
    # Ray restarts every replica at each `serve.run` unless told the version, which only its own code may (2.60).
    options = scale.options() | {"version": version, "_internal": True}
    return serve.deployment(Replica).options(name=role, **options).bind(open_model, role)


class Remote:
    """A model behind a handle; the subclasses speak its protocol."""

    def __init__(self, handle: DeploymentHandle, card: Card) -> None:
        self.name, self.revision, self.style = card.name, card.revision, card.style
        # From replica to replica over gRPC: by reference, a clip would go through Ray's object store, and each call
        # through the raylet, for half as many milliseconds again and more (benchmarks/http_overhead.py).
        self._direct, self._by_reference = handle.options(_by_reference=False), handle

    async def _call(self, method: str, *arguments: object) -> Any:  # noqa: ANN401 - each subclass names the type
        call = current_call()
        with span(method, {"model": self.name}):
            handed = replace(call, lookups=[], traceparent=traceparent())
            is_long = any(isinstance(one, AudioClip) and one.samples.nbytes > MOST_DIRECT for one in arguments)
            handle = self._by_reference if is_long else self._direct
            said: Said = await ask_replica(handle.call, handed, method, *arguments)
        call.lookups.extend(said.lookups)
        return said.value


class RemoteLLM(Remote):
    """An LLM in a deployment."""

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        reading: Reading = await self._call("complete", messages)
        return reading

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        reading: Reading = await self._call("choose", messages, choices)
        return reading


class RemoteCaptioner(Remote):
    """A captioner in a deployment."""

    async def caption(self, clip: AudioClip, focus: str = "") -> tuple[Evidence, ...]:
        evidence: tuple[Evidence, ...] = await self._call("caption", clip, focus)
        return evidence


class RemoteASR(Remote):
    """A recogniser in a deployment."""

    async def transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        evidence: tuple[Evidence, ...] = await self._call("transcribe", clip)
        return evidence


class RemoteLALM(Remote):
    """An audio-language model in a deployment."""

    async def listen(self, messages: tuple[Message, ...], clip: AudioClip) -> Reading:
        reading: Reading = await self._call("listen", messages, clip)
        return reading

    async def choose(self, messages: tuple[Message, ...], clip: AudioClip, choices: tuple[Choice, ...]) -> Reading:
        reading: Reading = await self._call("choose", messages, clip, choices)
        return reading


async def ask_replica(method: Any, *arguments: object) -> Any:  # noqa: ANN401 - Ray's handles are untyped
    """Call a replica; cancelling the caller cancels it there, and its errors arrive as they were raised."""
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
