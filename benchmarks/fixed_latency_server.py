"""`python benchmarks/fixed_latency_server.py PORT LATENCY_MS`: an OpenAI-compatible server that always answers "A".

It parses no JSON and holds no model, so that what a client costs is all there is to measure. GET /stats returns
how many requests came and how many were in flight at most.
"""

import asyncio
import json
import sys

REPLY = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "A"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 100, "completion_tokens": 1},
}


class RequestCounter:
    """Requests so far, requests in flight, and the maximum in flight."""

    num_requests = num_in_flight = peak = 0


class Connection(asyncio.Protocol):
    """One keep-alive connection: HTTP/1.1 with Content-Length, requests one after the other."""

    def __init__(self, counter: RequestCounter, latency_s: float) -> None:
        self._counter = counter
        self._latency_s = latency_s
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each whole request after the latency."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[:end]).lower()
            _, _, length = head.partition(b"content-length:")
            size = end + 4 + int(length.split(b"\r\n")[0] or 0)
            if len(self._received) < size:
                return
            del self._received[:size]
            self._answer(is_question=head.startswith(b"post"))

    def _answer(self, *, is_question: bool) -> None:
        if not is_question:
            self._send({"num_requests": self._counter.num_requests, "peak": self._counter.peak})
            return
        self._counter.num_requests += 1
        self._counter.num_in_flight += 1
        self._counter.peak = max(self._counter.peak, self._counter.num_in_flight)
        asyncio.get_running_loop().call_later(self._latency_s, self._reply)

    def _reply(self) -> None:
        self._counter.num_in_flight -= 1
        if not self._transport.is_closing():
            self._send(REPLY)

    def _send(self, content: object) -> None:
        body = json.dumps(content).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def main(port: int, latency_s: float) -> None:
    """Serve until the process is ended."""
    counter = RequestCounter()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(counter, latency_s), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) / 1000))
