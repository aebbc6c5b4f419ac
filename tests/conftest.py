"""What holds for every test: no connection beyond this machine, weights or a skip, and Ctrl-C as in a terminal."""

import gc
import os
import signal
import socket
import ssl
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

LOOPBACK = ("127.", "::1", "localhost")
os.environ["HF_HUB_OFFLINE"] = "1"  # read on import; a connection, which no test has, is tried for 45 seconds otherwise


def pytest_configure() -> None:
    """Let SIGINT interrupt the processes that tests start, and hide the API keys of who runs them.

    SIGINT is ignored in a background job of a shell; with a key in the home, each service of a test asks for it.
    """
    from services.settings import read_settings

    if (read_settings().home / "api-keys").exists():
        os.environ["EARWITNESS_HOME"] = str(mirror_home(read_settings().home))
        read_settings.cache_clear()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    share_tls_contexts()
    gc.disable()


def share_tls_contexts() -> None:
    """Let clients share their TLS context: each HTTP client reads 140 certificates otherwise, 50 ms of a test of 20."""
    make = ssl.create_default_context

    @cache
    def remember(_file: str | None, *args: Any, **options: Any) -> ssl.SSLContext:  # noqa: ANN401 - whatever it takes
        return make(*args, **options)

    def share(*args: Any, **options: Any) -> ssl.SSLContext:  # noqa: ANN401
        return remember(os.environ.get("SSL_CERT_FILE"), *args, **options)

    ssl.create_default_context = share


def pytest_collection_finish() -> None:
    """Leave what the imports made out of garbage collection: a tenth of the suite went into looking at it again."""
    gc.freeze()
    gc.enable()


def mirror_home(home: Path) -> Path:
    """Return a folder that has all of the home but its API keys."""
    mirror = Path(mkdtemp(prefix="earwitness-home-"))
    for entry in home.iterdir():
        if entry.name != "api-keys":
            (mirror / entry.name).symlink_to(entry)
    return mirror


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs the embedded weights where they are absent."""
    if item.get_closest_marker("weights") and (absent := absent_weights()):
        pytest.skip(f"run `earwitness models pull`: {', '.join(absent)} absent")


@cache
def absent_weights() -> tuple[str, ...]:
    """Return the names of what `earwitness models pull` has still to fetch."""
    from deploy.console.stock import list_needed
    from services.weights import store

    return tuple(name for name in list_needed() if store.check_state(name) != "ready")


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    """Forget the settings of a test behind it: a later one would look for the weights in its temporary home."""
    from services.settings import read_settings

    yield
    read_settings.cache_clear()


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a connection to anywhere but loopback fail."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:  # noqa: ANN401 - whatever a socket takes
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise PermissionError(f"A test wanted to connect to {address[0]}.")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
