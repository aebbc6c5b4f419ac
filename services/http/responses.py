"""JSON responses: values as they are, and the body of every error, as OpenAI's clients expect it."""

from http import HTTPStatus
from typing import Any

from fastapi import Response

from services.types import Value


class ErrorDetail(Value):
    """What went wrong, in the fields of OpenAI's API."""

    message: str
    type: str
    param: str | None = None
    """Name of the parameter that is to blame; None: none of them."""
    code: str


class ErrorBody(Value):
    """The body of every error."""

    error: ErrorDetail


ERRORS: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorBody}, "5XX": {"model": ErrorBody}}
"""Responses of a route, as its documentation has them, beside those that it is for."""


def build_error(status: int, code: str, message: str, *, param: str | None = None, kind: str = "") -> ErrorBody:
    """Return the body of an error; `kind` is OpenAI's type of it, by default the one that belongs to the status."""
    usual = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    return ErrorBody(error=ErrorDetail(message=message, type=kind or usual, param=param, code=code))


def make_json_response(value: Value, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    """Return a value as a JSON response."""
    return Response(value.model_dump_json(), status, headers, media_type="application/json")
