"""Health watch (watchdog): the service's own address is asked again and again, so that one that is dead for good ends.

HAProxy, its manager, the agent and Ray's other actors come back by themselves when they are killed. Where something
keeps them from it, a supervisor can start the service again only if it ends, instead of living on and refusing.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

LOOK_EVERY_S = 5.0
ANSWER_S = 10.0  # what is slower is busy, and not counted
REFUSED_S = 180.0  # a killed agent that loads its models again on a busy machine takes less
ALARM = b"\0"
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - as a service may listen, and where it is then


class HealthWatch:
    """Tells how long an address has refused.

    Args:
        host: where the service listens.
        port: its port there.
        clock: counts seconds.
    """

    def __init__(self, host: str, port: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._host, self._port, self._clock = EVERYWHERE.get(host, host), port, clock
        self._since: float | None = None

    def measure_refusal_s(self) -> float:
        """Ask once; return for how many seconds nothing but refusals has come, 0 if the service answers."""
        try:
            is_healthy = self._ask()
        except TimeoutError:
            return 0.0  # it may be busy; whether it refused before and does so afterwards is what counts
        now = self._clock()
        self._since = None if is_healthy else self._since if self._since is not None else now
        return 0.0 if self._since is None else now - self._since

    def _ask(self) -> bool:
        connection = HTTPConnection(self._host, self._port, timeout=ANSWER_S)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status < HTTPStatus.INTERNAL_SERVER_ERROR
        except TimeoutError:
            raise
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


@contextmanager
def watch_health(host: str, port: int) -> Iterator[socket.socket]:
    """Watch until the block ends; yield a socket that a byte comes from once the address has refused too long."""
    readable, writable = socket.socketpair()
    ended = threading.Event()
    watch = HealthWatch(host, port)

    def look() -> None:
        """Look until the block ends, or the address has refused for too long."""
        with writable:
            while not ended.wait(LOOK_EVERY_S):
                if watch.measure_refusal_s() >= REFUSED_S:
                    with suppress(BrokenPipeError):  # nobody reads any more
                        writable.send(ALARM)
                    break
            ended.wait()

    threading.Thread(target=look, daemon=True).start()  # it is not waited for, as it may be asking
    with readable:
        try:
            yield readable
        finally:
            ended.set()
