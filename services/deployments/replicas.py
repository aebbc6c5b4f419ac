"""Ray Serve deployments: one class of replica wraps any opened model."""

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

from ray import serve
from ray.serve._private import replica
from ray.util import get_node_ip_address

from services.deployments.scale import Scale
from services.errors import EarwitnessError
from services.protocols import AnyModel
from services.request_context import Lookup, RequestContext
from services.telemetry.log_lines import LOGGER, start_logging
from services.telemetry.watched import observe_call
from services.types import ReadingStyle, Value

LOOPBACK = "127.0.0.1"


class ModelCard(Value):
    """What a model says of itself."""

    name: str
    revision: str
    style: ReadingStyle = ReadingStyle()
    """Of an LLM or a LALM; the others have none."""


class ReplicaReply(NamedTuple):
    """What a model said, and what the perception cache had to do with it."""

    value: object
    lookups: tuple[Lookup, ...]


def listen_on_loopback() -> None:
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
        listen_on_loopback()
        started = perf_counter()
        LOGGER.info("loading", extra={"facts": {"deployment": role}})
        self._model = open_model()
        seconds = round(perf_counter() - started, 1)
        LOGGER.info("loaded", extra={"facts": {"deployment": role, "model": self._model.name, "seconds": seconds}})

    async def card(self) -> ModelCard:
        """Say which model this is."""
        style = getattr(self._model, "style", ReadingStyle())
        return ModelCard(name=self._model.name, revision=self._model.revision, style=style)

    async def call(self, call: RequestContext, method: str, *arguments: object) -> object:
        """RequestContext a method of the model's protocol.

        An error that the user can mend is returned, because Ray would log what is raised as a bug.
        """
        try:
            with observe_call(call, self._model.name, method):
                said = await getattr(self._model, method)(*arguments)
        except EarwitnessError as error:
            return error
        return ReplicaReply(said, tuple(call.lookups))


def bind_deployment(open_model: Callable[[], AnyModel], role: str, scale: Scale, version: str) -> serve.Application:
    """Bind the deployment that opens a model; `role` is its name.

    Replicas of the same `version` are kept when the application is deployed again; what else changed, such as their
    number, changes around them.
    """
    # Ray restarts every replica at each `serve.run` unless told the version, which only its own code may (2.60).
    options = scale.options() | {"version": version, "_internal": True}
    return serve.deployment(Replica).options(name=role, **options).bind(open_model, role)
