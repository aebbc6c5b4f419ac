"""One listening socket for all the agents of a machine, handed to each over a Unix socket, the door.

The process that owns it outlives the agents: while none is up, connections wait in its queue instead of being
refused, and what a dying agent had not accepted yet goes to another one. The connection over which an agent got the
socket stays open: its end tells the agent to finish, and the owner that the agent has finished.
"""

import asyncio
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import uvicorn
from fastapi import FastAPI

from services.errors import ModelError

BACKLOG = 2048  # connections that may wait while agents restart
TAKE_S = 10.0  # seconds in which the door opens


class Listener:
    """The socket and its door; belongs to the process that starts Ray."""

    def __init__(self, listening: socket.socket) -> None:
        self._socket = listening
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._agents: list[socket.socket] = []

    def open(self, door: Path) -> None:
        """Listen, and hand the socket to each agent that comes to the door."""
        self._socket.listen(BACKLOG)
        self._door.bind(str(door))
        self._door.listen()
        threading.Thread(target=self._hand_out, daemon=True).start()

    def _hand_out(self) -> None:
        with suppress(OSError):  # the door was closed
            while True:
                agent, _ = self._door.accept()
                socket.send_fds(agent, [b"1"], [self._socket.fileno()])
                self._agents.append(agent)

    def close(self, drain_s: float) -> None:
        """Take no more connections, and wait until the agents have answered what has come."""
        self._socket.close()
        self._door.close()
        for agent in self._agents:
            agent.settimeout(drain_s)
            with suppress(OSError):  # it has died, or takes too long
                agent.shutdown(socket.SHUT_WR)
                agent.recv(1)
            agent.close()


class Taken(NamedTuple):
    """What an agent got at the door."""

    listening: socket.socket
    owner: socket.socket
    """Ends when the agent is to finish."""


def take(door: Path) -> Taken:
    """Get the listening socket."""
    owner = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    owner.settimeout(TAKE_S)
    owner.connect(str(door))
    _, (descriptor,), _, _ = socket.recv_fds(owner, 1, 1)
    owner.settimeout(0)
    return Taken(socket.socket(fileno=descriptor), owner)


class Listening:
    """An HTTP server in the running event loop, on a socket that was taken; stops when the owner says so."""

    def __init__(self, app: FastAPI, taken: Taken, drain_s: float) -> None:
        config = uvicorn.Config(
            app, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=round(drain_s)
        )
        self._owner = taken.owner
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[taken.listening]))
        self._watching = asyncio.create_task(self._stop_with_owner())

    def check(self) -> None:
        """Raise if it serves no more although nobody has stopped it."""
        if self._serving.done() and not self._server.should_exit:
            raise ModelError("The HTTP server of this replica has stopped.")

    async def stop(self) -> None:
        """Take no more connections, answer what has come, and say so to the owner."""
        self._server.should_exit = True
        await asyncio.wait([self._serving])
        self._owner.close()

    async def _stop_with_owner(self) -> None:
        await asyncio.get_running_loop().sock_recv(self._owner, 1)
        await self.stop()
