"""The HTTP API: routes that answer, list the models, and report health and metrics; the models are behind `Service`.

    POST /v1/chat/completions      as OpenAI's clients send it: text and a recording -> the chosen option
    POST /v1/responses             the same in the form of OpenAI's Responses API
    POST /v1/audio/questions       multipart (file, question, choices …, model) or JSON (audio as base64) -> Answer
    POST /v1/audio/transcriptions  as OpenAI's clients send it -> what is said
    POST /v1/audio/translations    the same, in English
    POST /v1/audio/descriptions    a recording -> what the captioner hears, with times
    GET  /v1/models                the models that can answer now, the default first
    GET  /metrics                  metrics for Prometheus
    GET  /readyz                   readiness check: 200 once every model is loaded, 503 before
    GET  /healthz                  health check: 200 while this process answers

Every error is `{"error": {message, type, param, code}}`, as OpenAI's clients expect it; every response has its
`X-Request-Id`.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Literal, TypeAlias

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from services.catalog import pick
from services.http.access.admission import AdmissionControl, is_stopping
from services.http.access.auth import ApiKeys
from services.http.access.guard import Guard
from services.http.access.limits import Limits
from services.http.access.live_keys import LiveKeys
from services.http.answering import Answered, QuestionRequest, answer
from services.http.events.stages import AnswerEvent, StageEvents
from services.http.events.stream import EVENT_STREAM, EventSink, respond
from services.http.faults import add_handlers
from services.http.hearing.descriptions import (
    Description,
    DescriptionForm,
    DescriptionRequest,
    describe,
    read_description_request,
)
from services.http.openai.routes import add_openai_routes, add_transcription_routes
from services.http.openapi import describe_body
from services.http.options.option_lines import Split, split_options
from services.http.options.unread_options import warn_of_unread_options
from services.http.paths import PathNormaliser
from services.http.question_body import JSONQuestion, PostedQuestion, QuestionForm, read_question
from services.http.responses import ERRORS, ErrorBody, make_json_response
from services.http.service import Service
from services.http.web_page import router as web_page
from services.progress import report_progress_to
from services.questions import check_question
from services.telemetry.log_lines import start_logging
from services.telemetry.metrics import render_metrics
from services.telemetry.request_log import RequestLog
from services.types import Value


class Alive(Value):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class Readiness(Value):
    """Whether all models are loaded, and the deployments that are not."""

    ready: bool
    waiting_for: tuple[str, ...]


class Model(Value):
    """A model that can answer now."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: Literal["earwitness"] = "earwitness"


class ModelList(Value):
    """All models that can answer now, the default first."""

    object: Literal["list"] = "list"
    data: tuple[Model, ...]


AddRoutes: TypeAlias = Callable[[AdmissionControl], APIRouter]


def create_app(
    service: Service,
    limits: Limits,
    keys: ApiKeys | LiveKeys = ApiKeys(),  # noqa: B008 - frozen
    *,
    proxied: bool = False,
    add_routes: AddRoutes | None = None,
) -> FastAPI:
    """Build the ASGI application in front of a service.

    Args:
        service: the models that answer.
        limits: of one request, and of all that are in work.
        keys: API keys that are accepted; without any, the server answers on loopback addresses only.
        proxied: whether a proxy in front puts `X-Request-Id` on responses itself, as Ray Serve's does.
        add_routes: makes routes beside these, whose requests are admitted together with the others.
    """
    start_logging()
    app = FastAPI(title="Earwitness", docs_url=None, redoc_url=None, redirect_slashes=False)
    add_handlers(app)
    app.include_router(web_page)
    admission = AdmissionControl(limits)
    # Not as routers of their own: FastAPI remakes each route, with its models, for each router that it is passed on.
    _add_watch_routes(app.router, service)
    _add_model_routes(app.router, service)
    add_openai_routes(app.router, service, limits, admission)
    add_transcription_routes(app.router, service, limits, admission)
    _add_ask_routes(app.router, service, limits, admission)
    if add_routes:
        app.include_router(add_routes(admission))
    app.add_middleware(PathNormaliser)
    app.add_middleware(Guard, keys=keys, limits=limits.per_key)
    app.add_middleware(RequestLog, proxied=proxied)  # the last one added is the outermost
    return app


def _add_watch_routes(router: APIRouter, service: Service) -> None:
    """Add the routes of health checks and metrics."""

    @router.get("/healthz")
    async def healthz() -> Alive:
        """Health check: the process is alive."""
        return Alive()

    @router.get("/readyz", responses={503: {"model": Readiness}}, response_model=Readiness)
    async def readyz() -> Response:
        """Readiness check: whether all models are loaded, and which are not; a stopping service is not ready."""
        missing = await service.list_missing()
        is_ready = not missing and not is_stopping()
        status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return make_json_response(Readiness(ready=is_ready, waiting_for=missing), status)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Return the metrics for Prometheus."""
        return Response(await asyncio.to_thread(render_metrics), media_type=CONTENT_TYPE_LATEST)


def _add_model_routes(router: APIRouter, service: Service) -> None:
    """Add the routes that list the models."""

    @router.get("/v1/models")
    async def models() -> ModelList:
        """List the models that can answer now, the default first."""
        return ModelList(data=tuple(Model(id=name) for name in await service.list_models()))

    @router.get("/v1/models/{name:path}", responses={404: {"model": ErrorBody}, 422: {"model": ErrorBody}})
    async def model(name: str) -> Model:
        """Say whether a model can answer now; an alias can where the model that it stands for can."""
        pick({known: known for known in await service.list_models()}, "model", service.resolve(name) or name)
        return Model(id=name)


def _add_ask_routes(router: APIRouter, service: Service, limits: Limits, admission: AdmissionControl) -> None:
    """Add the routes of our own that answer questions and describe recordings."""

    @router.post(
        "/v1/audio/questions",
        response_model=Answered,
        responses=ERRORS | {200: {"content": {EVENT_STREAM: {}}}},
        openapi_extra=describe_body(form=QuestionForm, json=JSONQuestion),
    )
    async def ask(request: Request) -> Response:
        """Answer a question about a recording, with all that the answer rests on; `both` gives two answers."""

        async def work(events: EventSink) -> Response | None:
            """Read the question and answer it."""
            return await admission.serve(
                request, lambda it: read_question(it, limits), lambda it: _answer_posted(service, limits, it, events)
            )

        return await respond(request, work)

    @router.post(
        "/v1/audio/descriptions",
        response_model=Description,
        responses=ERRORS | {200: {"content": {"text/plain": {}}}},
        openapi_extra=describe_body(form=DescriptionForm),
    )
    async def tell(request: Request) -> Response:
        """Describe a recording: what the captioner hears, with times."""

        async def work(asked: DescriptionRequest) -> Response:
            """Describe the recording of the request."""
            return await describe(service, limits, asked)

        return await admission.serve(request, lambda it: read_description_request(it, limits), work)


async def _answer_posted(
    service: Service, limits: Limits, posted: PostedQuestion, events: EventSink
) -> Response | None:
    """Validate a question and answer it: with a response, or with events where they were asked for."""
    is_open = not posted.choices and not posted.as_published
    split = split_options(posted.question) if is_open else Split(posted.question, posted.choices)
    question = check_question(split.question, split.options, as_published=posted.as_published)
    question = question.model_copy(update={"wants_reasons": posted.explains})
    warnings = warn_of_unread_options(split) if is_open else ()
    asked = QuestionRequest(question, service.resolve(posted.model), posted.sounds, warnings=warnings)
    if not posted.is_stream:
        return make_json_response(await answer(service, limits, asked))
    with report_progress_to(StageEvents(events)):
        answered = await answer(service, limits, asked)
    events.send(AnswerEvent(answer=answered))
    return None
