"""`POST /mcp`: the MCP server over streamable HTTP, behind the keys, limits and admission of the service.

Stateless, as any replica may get any message: there are no sessions and no stream that the server opens (GET is 405).
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Request, Response
from starlette.types import Message, Scope

from agents.listening.tool import ListenedClip
from deploy.mcp_server.folders import AllowedFolders
from deploy.mcp_server.server import build_server
from deploy.mcp_server.tools import Hearers, McpContext
from services.errors import EarwitnessError, TooLarge
from services.http.access.admission import AdmissionControl
from services.http.access.limits import Limits
from services.http.clips import AudioUpload, open_clip
from services.http.faults import answer_own_error
from services.http.forms import read_json
from services.http.responses import ErrorBody, ErrorDetail
from services.types import Value

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

SERVER_ERROR = -32000  # JSON-RPC 2.0 leaves the codes from -32099 to this one to servers
MOST_BYTES = 64 << 10  # of a message: it names a recording and holds none


def build_mcp_routes(
    hearers: Hearers, limits: Limits, folders: Sequence[Path], admission: AdmissionControl
) -> APIRouter:
    """Return the route of the MCP server."""
    context = McpContext(hearers, AllowedFolders(folders), partial(_open_uploaded, limits), limits.max_duration_s)
    transport = _Transport(context)
    router = APIRouter(include_in_schema=False)

    @router.post("/mcp")
    async def mcp(request: Request) -> Response:
        """Answer one message."""

        async def work(body: bytes) -> Response:
            """Hand the message to the SDK."""
            return await transport.answer(request.scope, body)

        try:
            return await admission.serve(request, lambda it: read_json(it, limits, _require_short), work)
        except EarwitnessError as error:
            return answer_own_error(request, error, _build_rpc_error)

    return router


class RpcFault(Value):
    """What went wrong, in the fields of JSON-RPC."""

    code: int = SERVER_ERROR
    message: str
    data: ErrorDetail
    """The same as other routes have it."""


class RpcError(Value):
    """The body of an error, which the SDK's clients show; of any other they say only that there was one."""

    jsonrpc: Literal["2.0"] = "2.0"
    id: None = None
    """The message may not have been read."""
    error: RpcFault


def _build_rpc_error(body: ErrorBody) -> RpcError:
    return RpcError(error=RpcFault(message=body.error.message, data=body.error))


class _Transport:
    """The SDK's transport, which runs from the first message on."""

    def __init__(self, context: McpContext) -> None:
        self._server = build_server(context)
        self._starting = asyncio.Lock()
        self._manager: StreamableHTTPSessionManager | None = None
        self._running: asyncio.Task[None] | None = None

    async def answer(self, scope: Scope, body: bytes) -> Response:
        """Answer a message that has been read to its end."""
        manager = await self._start()
        unread, sent = [body], list[Message]()

        async def receive() -> Message:
            """Hand over the body once; afterwards nothing comes: who hangs up is seen by the admission."""
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            await asyncio.Event().wait()
            raise AssertionError("nothing sets the event")

        async def send(message: Message) -> None:
            sent.append(message)

        await manager.handle_request(scope, receive, send)
        start, *parts = sent
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return Response(b"".join(part.get("body", b"") for part in parts), start["status"], headers)

    async def _start(self) -> "StreamableHTTPSessionManager":
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        async with self._starting:
            if self._manager is None:
                manager = StreamableHTTPSessionManager(
                    self._server, json_response=True, stateless=True, max_request_body_size=MOST_BYTES
                )
                started = asyncio.get_running_loop().create_future()
                self._running = asyncio.create_task(_run(manager, started))
                await started
                self._manager = manager
            return self._manager


async def _run(manager: "StreamableHTTPSessionManager", started: "asyncio.Future[None]") -> None:
    """Run the transport until the process ends."""
    async with manager.run():
        started.set_result(None)
        await asyncio.Event().wait()


def _require_short(body: bytes) -> bytes:
    if len(body) > MOST_BYTES:
        raise TooLarge(f"The message has {len(body)} bytes, more than the {MOST_BYTES} that name a recording.")
    return body


async def _open_uploaded(limits: Limits, path: Path) -> ListenedClip:
    """Read a recording as if it had been uploaded: whoever may write to a folder of the service is not its owner."""
    data = await asyncio.to_thread(_read, path, limits.max_upload_bytes)
    return ListenedClip(await open_clip(AudioUpload(data, name=path.name, param="recording"), limits))


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise TooLarge(f"'{path.name}' has more than the {most} bytes that are accepted.", param="recording")
    return data
