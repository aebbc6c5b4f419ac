"""The HTTP API: gets answerers, knows no models.

    POST /v1/audio/questions   multipart (file, question, choices …, path) or JSON (audio as base64) -> Answer
    GET  /readyz               200 once every model is loaded, 503 before
    GET  /healthz              200 while this process answers

Every error is `{"error": {message, type, param, code}}`, as OpenAI's clients expect it.
"""

import asyncio
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Protocol

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from services.asking import asked
from services.auth import Keys
from services.decoder import decode_safely
from services.errors import BadRequest, EarwitnessError, TookTooLong
from services.guard import Guard
from services.limits import Limits
from services.posted import REQUEST_BODY, Posted, read_form, read_json
from services.protocols import Answerer
from services.types import Answer, AudioClip, Value
from services.web_page import router as web_page

PATH = "/v1/audio/questions"


class Service(Protocol):
    """What stands behind the gateway."""

    async def missing(self) -> tuple[str, ...]:
        """Return the roles whose models do not answer (yet); empty when all is ready."""

    async def answerer(self, path: str | None) -> Answerer:
        """Return the way of that name, the usual one for None.

        Raises `UnknownName` for a name that does not exist and `ModelError` while models load.
        """

    def hears(self, path: str | None) -> bool:
        """Say whether that way needs a clip."""


class Fault(Value):
    """What went wrong, in the words of OpenAI's API."""

    message: str
    type: str
    param: str | None = None
    code: str


class Failure(Value):
    """The body of every error."""

    error: Fault


def create_app(service: Service, limits: Limits, keys: Keys = Keys()) -> FastAPI:  # noqa: B008 - frozen
    """Build the ASGI application in front of a service; without keys it answers this machine only."""
    app = FastAPI(title="Earwitness", docs_url=None, redoc_url=None)
    app.add_exception_handler(EarwitnessError, _on_own_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_unknown_error)
    app.add_middleware(Guard, keys=keys, limits=limits.per_key)

    app.include_router(web_page)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        """Say whether all models are loaded, and which are not."""
        missing = await service.missing()
        status = HTTPStatus.SERVICE_UNAVAILABLE if missing else HTTPStatus.OK
        return JSONResponse({"ready": not missing, "waiting_for": missing}, status)

    @app.post(PATH, openapi_extra={"requestBody": REQUEST_BODY}, responses={"4XX": {"model": Failure}})
    async def ask(request: Request) -> Answer:
        """Answer a question about a recording."""
        return await _answer_in_time(service, limits, request)

    return app


async def _answer_in_time(service: Service, limits: Limits, request: Request) -> Answer:
    try:
        async with asyncio.timeout(limits.deadline_s) as deadline:
            return await _answer(service, limits, request)
    except TimeoutError:
        if not deadline.expired():
            raise
        raise TookTooLong(
            f"No answer within {limits.deadline_s:g} s; ask about a shorter clip, or raise `deadline_s`."
        ) from None


async def _answer(service: Service, limits: Limits, request: Request) -> Answer:
    posted = await _posted(request, limits)
    question = asked(posted.question, posted.choices, as_published=posted.as_published)
    answerer = await service.answerer(posted.path)
    clip = await _clip(posted, limits) if service.hears(posted.path) else None
    return await answerer.answer(question, clip)


async def _posted(request: Request, limits: Limits) -> Posted:
    limits.check_bytes(int(request.headers.get("content-length", "0")))
    body = _at_most(request, limits)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await read_form(request.headers, body)
    if kind == "application/json":
        return await asyncio.to_thread(read_json, b"".join([chunk async for chunk in body]))
    raise HTTPException(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Type is {kind!r}; multipart/form-data and application/json work"
    )


async def _at_most(request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    num_bytes = 0
    async for chunk in request.stream():
        num_bytes += len(chunk)
        limits.check_bytes(num_bytes)
        yield chunk


async def _clip(posted: Posted, limits: Limits) -> AudioClip:
    if posted.audio is None:
        raise BadRequest("No recording came with the question: send it as 'file', in JSON as 'audio'.", param="file")
    return await decode_safely(posted.audio, name=posted.name, max_duration_s=limits.max_duration_s)


def _failure(status: int, code: str, message: str, param: str | None = None) -> JSONResponse:
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    failure = Failure(error=Fault(message=message, type=kind, param=param, code=code))
    return JSONResponse(failure.model_dump(), status)


def _on_own_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, EarwitnessError)
    return _failure(error.http_status, error.code, str(error), error.param)


def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).name.lower()
    return _failure(error.status_code, code, f"{error.detail}: {request.method} {request.url.path}")


def _on_unknown_error(_request: Request, _error: Exception) -> JSONResponse:
    """Say that it is our bug; Starlette raises it on, so that the log has the traceback."""
    return _failure(500, "internal_error", "An error of Earwitness itself; its log has the traceback.")
