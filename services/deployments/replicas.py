"""Ray Serve deployments: one class of replica wraps any opened model."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import NamedTuple

from ray import serve

from services.cancellation import use_threads
from services.deployments.ray_internals import listen_on_loopback, make_version_options
from services.deployments.scale import Scale
from services.deployments.start_failure import report_start_failure
from services.errors import EarwitnessError
from services.protocols import AnyModel, GuidableASR, StructuredLLM, TellableModel
from services.request_context import Lookup, RequestContext
from services.telemetry.log_lines import LOGGER, start_logging
from services.telemetry.watched import observe_call
from services.types import ReadingStyle, Value


class ModelCard(Value):
    """Description of a model: what its handles say in its place."""

    name: str
    revision: str
    style: ReadingStyle = ReadingStyle()
    """Of an LLM or a LALM; the others have none."""
    takes_guide: bool = False
    """Whether it is an ASR that can be guided."""
    takes_reply_options: bool = False
    """Whether it can be told how to write an open reply."""
    takes_schema: bool = False
    """Whether it is an LLM whose replies can be held to a JSON schema."""


class ReplicaReply(NamedTuple):
    """The result of a call, with the lookups in the perception cache."""

    value: object
    lookups: tuple[Lookup, ...]


class Replica:
    """Wraps a model, opened when the replica starts: so the replica is up once the model is loaded.

    Its work is done in threads of its own: in a process that others share, it must not take theirs.
    """

    def __init__(self, open_model: Callable[[], AnyModel], role: str) -> None:
        start_logging()
        listen_on_loopback()
        self._threads = ThreadPoolExecutor(thread_name_prefix=role)
        started = perf_counter()
        LOGGER.info("loading", extra={"facts": {"deployment": role}})
        try:
            self._model = open_model()
        except EarwitnessError as error:
            report_start_failure(role, error)
            raise
        seconds = round(perf_counter() - started, 1)
        LOGGER.info("loaded", extra={"facts": {"deployment": role, "model": self._model.name, "seconds": seconds}})

    async def describe(self) -> ModelCard:
        """Return the description of the model."""
        style = getattr(self._model, "style", ReadingStyle())
        model = self._model
        takes_guide = isinstance(model, GuidableASR) and model.takes_guide
        return ModelCard(
            name=model.name,
            revision=model.revision,
            style=style,
            takes_guide=takes_guide,
            takes_reply_options=isinstance(model, TellableModel) and model.takes_reply_options,
            takes_schema=isinstance(model, StructuredLLM) and model.takes_schema,
        )

    async def call(self, call: RequestContext, method: str, *arguments: object) -> object:
        """Call a method of the model's protocol.

        An error that the user can fix is returned, because Ray would log what is raised as a bug.
        """
        try:
            with use_threads(self._threads), observe_call(call, self._model.name, method):
                said = await getattr(self._model, method)(*arguments)
        except EarwitnessError as error:
            return error
        return ReplicaReply(said, tuple(call.lookups))


def bind_deployment(open_model: Callable[[], AnyModel], role: str, scale: Scale, version: str) -> serve.Application:
    """Bind the deployment that opens a model; `role` is its name.

    Replicas of the same `version` are kept when the application is deployed again; what else changed, such as their
    number, changes around them.
    """
    options = scale.to_options() | make_version_options(version)
    return serve.deployment(Replica).options(name=role, **options).bind(open_model, role)
