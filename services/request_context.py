"""Request context (id, tenant, trace) that travels with every model call, into the process that runs the model too."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from services.types import Value

LookupResult: TypeAlias = Literal["hit", "joined", "miss"]


class Lookup(NamedTuple):
    """The result of one lookup in the perception cache."""

    kind: str
    """captions, transcripts or readings."""
    result: LookupResult


class ReplyOptions(Value):
    """How a client wants an open reply to be written; None or empty: as the model was opened."""

    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    """Texts that end the reply."""
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The request that work is done for."""

    request_id: str = ""
    tenant: str = ""
    """Name of the API key; empty where the server has no keys."""
    traceparent: str = ""
    """Span that the work belongs to, as W3C Trace Context; empty where nothing is traced."""
    reply_options: ReplyOptions | None = None
    """How an open reply is to be written, by a model that can be told; None: as it was opened."""
    lookups: list[Lookup] = field(default_factory=list)
    """Lookups in the perception cache so far; grows as the work goes on."""


_current: ContextVar[RequestContext | None] = ContextVar("earwitness_request_context", default=None)


def get_context() -> RequestContext:
    """Return the context of the request that this task works on; an empty one outside of requests."""
    return _current.get() or RequestContext()


@contextmanager
def use_context(context: RequestContext) -> Iterator[RequestContext]:
    """Run the block on behalf of a request."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
