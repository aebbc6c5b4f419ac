"""Authentication and rate limits: no route without a key, no foreign host without keys, a bound on each key."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi.testclient import TestClient
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from services.http.access.auth import ApiKeys, make_key
from services.http.access.guard import PUBLIC, Guard, is_loopback
from services.http.access.limits import Limits, PerKey
from services.http.gateway import create_app
from services.scripted.clock import SimulatedClock
from services.scripted.service import ScriptedService

SECRET, KEY = make_key("alice")
KEYS = ApiKeys((KEY, make_key("bob")[1]))
HERE, ELSEWHERE = "http://127.0.0.1", "http://earwitness.example"


def loading() -> ScriptedService:
    """Return a service whose models never load."""
    service = ScriptedService()
    service.waiting = ("llm",)
    return service


def client(keys: ApiKeys = KEYS, url: str = ELSEWHERE, limits: Limits = Limits()) -> TestClient:  # noqa: B008
    return TestClient(create_app(loading(), limits, keys), url)


def routes() -> list[tuple[str, str]]:
    app = create_app(loading(), Limits(), KEYS)
    found = [route for route in app.routes if isinstance(route, Route)]
    assert len(found) == len(app.routes), "a mount or a websocket, which this walk has to learn"
    return [(method, re.sub(r"{.*?}", "x", route.path)) for route in found for method in sorted(route.methods or ())]


@pytest.mark.parametrize(("method", "path"), routes())
def test_every_route_asks_for_a_key_or_is_documented_as_public(method: str, path: str) -> None:
    response = client().request(method, path)
    if path in {"/healthz", "/readyz"}:
        assert response.status_code != 401
        return
    assert response.status_code == 401
    challenges = response.headers.get_list("www-authenticate")
    assert [challenge.partition(" ")[0] for challenge in challenges] == ["Basic", "Bearer"]
    if method != "HEAD":
        error = response.json()["error"]
        assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", None, "invalid_api_key")


def test_only_health_is_public() -> None:
    assert {"/healthz", "/readyz"} == PUBLIC
    assert {path for _, path in routes()} > PUBLIC


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/healthz/", "//healthz", "/healthz/..", "/HEALTHZ", "/healthz%2f", "/v1", "/docs"]
)
def test_an_unknown_route_needs_a_key_too(path: str) -> None:
    assert client().get(path).status_code == client().options(path).status_code == 401


@pytest.mark.slow
@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": f"bearer  {SECRET}"},
        {"x-api-key": SECRET},
    ],
)
def test_a_key_opens(headers: dict[str, str]) -> None:
    assert client().get("/openapi.json", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": SECRET},
        {"Authorization": f"Basic {SECRET}"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {SECRET[:-1]}"},
        {"Authorization": f"Bearer {KEY.sha256}"},
        {"x-api-key": "alice"},
        {"Cookie": f"x-api-key={SECRET}"},
    ],
)
def test_a_wrong_key_is_refused(headers: dict[str, str]) -> None:
    assert client().get("/openapi.json", headers=headers).status_code == 401
    assert client().get("/openapi.json", params={"api_key": SECRET, "x-api-key": SECRET}).status_code == 401


@pytest.mark.slow
def test_keys_appear_in_no_log_no_error_and_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = make_key("mallory")[0]
    said = [client().get("/openapi.json", headers={"x-api-key": key}).text for key in (SECRET, wrong)]
    guard = Guard(create_app(loading(), Limits(), KEYS), KEYS, PerKey())
    shown = "".join([*said, caplog.text, repr(KEYS), repr(guard), repr(vars(guard))])
    assert SECRET not in shown
    assert wrong not in shown


class Waiting:
    """An application that answers once it may."""

    def __init__(self) -> None:
        self.may, self.two = asyncio.Event(), asyncio.Event()
        self.num_running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.num_running += 1
        if self.num_running == 2:
            self.two.set()
        await self.may.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def app() -> Waiting:
    return Waiting()


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
async def alice(app: Waiting, clock: SimulatedClock) -> AsyncIterator[httpx.AsyncClient]:
    guard = Guard(app, KEYS, PerKey(requests_per_s=0.5, burst=3, max_running=2), clock.time)
    transport = httpx.ASGITransport(guard)
    async with httpx.AsyncClient(transport=transport, base_url=ELSEWHERE, headers={"x-api-key": SECRET}) as client:
        yield client


async def test_a_key_has_its_rate(alice: httpx.AsyncClient, app: Waiting, clock: SimulatedClock) -> None:
    app.may.set()
    assert [(await alice.get("/")).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = await alice.get("/")
    assert (refused.headers["retry-after"], refused.json()["error"]["code"]) == ("2", "rate_limit_exceeded")
    clock.now_s += 2
    assert [(await alice.get("/")).status_code for _ in range(2)] == [200, 429]


async def test_a_key_has_its_number_in_flight(alice: httpx.AsyncClient, app: Waiting) -> None:
    running = [asyncio.create_task(alice.get("/")) for _ in range(2)]
    await app.two.wait()
    refused = await alice.get("/")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    app.may.set()
    assert [(await task).status_code for task in running] == [200, 200]
    assert (await alice.get("/")).status_code == 200


async def test_a_cancelled_request_is_no_longer_in_flight(alice: httpx.AsyncClient, app: Waiting) -> None:
    running = [asyncio.create_task(alice.get("/")) for _ in range(2)]
    await app.two.wait()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    app.may.set()
    assert (await alice.get("/")).status_code == 200


@pytest.mark.slow
def test_one_key_does_not_use_up_another() -> None:
    secret, key = make_key("carol")
    both = client(ApiKeys((KEY, key)), limits=Limits(per_key=PerKey(requests_per_s=0.1, burst=1)))
    statuses = [both.get("/openapi.json", headers={"x-api-key": one}).status_code for one in (SECRET, SECRET, secret)]
    assert statuses == [200, 429, 200]


@pytest.mark.slow
@pytest.mark.parametrize("key", ["", "any"])
def test_without_keys_this_machine_needs_none(key: str) -> None:
    assert client(ApiKeys(), HERE).get("/openapi.json", headers={"x-api-key": key} if key else {}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "127.0.0.1@evil", "10.0.0.1", ""]
)
def test_without_keys_a_foreign_host_is_refused(host: str) -> None:
    response = client(ApiKeys(), HERE).get("/openapi.json", headers={"Host": host})
    assert (response.status_code, response.json()["error"]["code"]) == (403, "not_local")


@pytest.mark.parametrize(
    ("origin", "status"), [("http://localhost:8000", 200), ("https://evil.example", 403), ("null", 403)]
)
def test_without_keys_a_foreign_page_is_refused(origin: str, status: int) -> None:
    assert client(ApiKeys(), HERE).get("/openapi.json", headers={"Origin": origin}).status_code == status


def test_loopback_is_distinguished_from_lookalikes() -> None:
    assert all(
        map(is_loopback, ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "127.9.9.9", "[::1]:8000", "http://localhost"])
    )
    assert not any(
        map(
            is_loopback, ["0.0.0.0", "[::]", "127.1", "localhost.", "a.localhost", "127.0.0.1:x", "", "[::1", "::1:80x"]
        )
    )


@pytest.mark.parametrize(
    ("password", "site", "status"),
    [
        (SECRET, "none", 200),
        (SECRET, "same-origin", 200),
        (SECRET, "cross-site", 401),
        (SECRET, "same-site", 401),
        (SECRET, None, 401),
        ("guess", "none", 401),
    ],
    ids=[
        "no site",
        "same origin",
        "another site",
        "same site",
        "no header",
        "wrong key",
    ],
)
def test_a_browser_sends_a_key_as_password_unless_another_site_makes_it(
    password: str, site: str | None, status: int
) -> None:
    headers = {} if site is None else {"Sec-Fetch-Site": site}
    assert client().get("/", auth=("me", password), headers=headers).status_code == status


def test_a_password_that_is_not_base64_is_not_a_key() -> None:
    headers = {"Authorization": "Basic ???", "Sec-Fetch-Site": "none"}
    assert client().get("/", headers=headers).status_code == 401
