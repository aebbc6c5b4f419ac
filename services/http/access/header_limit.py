"""Bound on the head of a request: no client, with a key or without, may send headers without end.

uvicorn's fast protocol keeps what it is sent until a header ends, and joins it with each piece that comes: 100 MB of
one header would hold up everybody. Ray's proxy is uvicorn too, and calls `bound_ray_proxy` when it starts.
"""

from collections.abc import Sequence
from http import HTTPStatus

from uvicorn.protocols.http import auto
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.http.responses import build_error

MAX_HEAD_BYTES = 65_536  # of the request line and all headers, trailers included
SIGNS_OF_A_HEADER = 4  # colon, space and line break
PROXY_CALLBACK = "services.http.access.header_limit.bound_ray_proxy"
TOO_LARGE = f"The headers have more than {MAX_HEAD_BYTES} bytes, the most that is accepted."
NO_HTTP = "This is not an HTTP request."


class BoundedHeadProtocol(HttpToolsProtocol):
    """uvicorn's protocol on httptools, which refuses a head of more than `MAX_HEAD_BYTES` with 431 and hangs up.

    What is not HTTP gets 400, in the form of the service's other errors.
    """

    _head_bytes = _unread_bytes = 0
    """Bytes of names and values so far, and all that was read since the last end of a head, body or piece of one."""

    def data_received(self, data: bytes) -> None:
        """Parse what has come, unless it is more of a head than is taken."""
        if self.transport.is_closing():
            return
        self._unread_bytes += len(data)
        super().data_received(data)
        if max(self._head_bytes, self._unread_bytes) > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin to count again with each request of a connection."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the request line, which comes in pieces."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header or a trailer."""
        self._count(name, value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request on, unless its head is too large."""
        self._unread_bytes = 0
        if self._head_bytes <= MAX_HEAD_BYTES:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand a piece of the body on; other bounds hold for it."""
        self._unread_bytes = 0
        if self._head_bytes <= MAX_HEAD_BYTES:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._unread_bytes = 0
        if self._head_bytes <= MAX_HEAD_BYTES:
            super().on_message_complete()

    def _count(self, *pieces: bytes) -> None:
        self._head_bytes += sum(map(len, pieces)) + SIGNS_OF_A_HEADER

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words, as plain text
        """Refuse what is not HTTP, in the form of every other error, and hang up."""
        self._refuse(HTTPStatus.BAD_REQUEST, "bad_http", NO_HTTP)

    def _refuse(self, status: HTTPStatus, code: str, message: str) -> None:
        """Answer with an error and hang up, whatever else comes."""
        body = build_error(status, code, message).model_dump_json().encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def bound_ray_proxy() -> Sequence[object]:
    """Let the uvicorn of this process, which is Ray's proxy, bound heads; return no middleware for it."""
    auto.AutoHTTPProtocol = BoundedHeadProtocol
    return []
