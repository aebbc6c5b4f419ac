"""Error handlers: every error leaves as `{"error": {message, type, param, code}}`, as OpenAI's clients expect it."""

from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from services.errors import RETRY_AFTER_S, ClientGone, EarwitnessError, InternalError, Overloaded
from services.http.responses import ErrorBody, build_error, make_json_response
from services.telemetry.log_lines import BUG_MESSAGE, log_bug
from services.telemetry.request_log import REQUEST_ID, AboutRequest, find_request_facts
from services.types import Value

RETRIED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def add_handlers(app: FastAPI) -> None:
    """Let every error of the application leave as a `ErrorBody`."""
    app.add_exception_handler(EarwitnessError, _handle_own_error)
    app.add_exception_handler(HTTPException, _handle_http_error)
    app.add_exception_handler(ClientDisconnect, _handle_disconnect)
    app.add_exception_handler(Exception, _handle_unknown_error)


def build_own_error(error: EarwitnessError, about: AboutRequest) -> ErrorBody:
    """Return the body of an error that the user can fix, and note its code."""
    about.error = error.code
    return build_error(error.http_status, error.code, str(error), param=error.param)


def build_bug(error: BaseException, about: AboutRequest) -> ErrorBody:
    """Return the body of an error that is our bug; the log has where it happened."""
    about.error = InternalError.code
    log_bug(error, request_id=about.id)
    return build_error(HTTPStatus.INTERNAL_SERVER_ERROR, about.error, BUG_MESSAGE)


def _handle_own_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, EarwitnessError)
    return answer_own_error(request, error, lambda body: body)


def answer_own_error(request: Request, error: EarwitnessError, write: Callable[[ErrorBody], Value]) -> Response:
    """Return the response to an error that the user can fix; `write` puts its body into the form of a protocol."""
    body = write(build_own_error(error, find_request_facts(request.scope)))
    headers = {}
    if error.http_status in RETRIED:
        wait_s = error.retry_after_s if isinstance(error, Overloaded) else RETRY_AFTER_S
        headers["Retry-After"] = str(wait_s)
    return make_json_response(body, error.http_status, headers)


def _handle_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).name.lower()
    find_request_facts(request.scope).error = code
    message = f"{error.detail}: {request.method} {request.url.path}"
    return make_json_response(
        build_error(error.status_code, code, message), error.status_code, dict(error.headers or {})
    )


def _handle_disconnect(request: Request, _error: Exception) -> Response:
    return _handle_own_error(request, ClientGone("The client hung up before all of its request had come."))


def _handle_unknown_error(request: Request, error: Exception) -> Response:
    """Say that it is our bug; Starlette raises it on for the server's own log."""
    about = find_request_facts(request.scope)
    return make_json_response(build_bug(error, about), HTTPStatus.INTERNAL_SERVER_ERROR, {REQUEST_ID: about.id})
