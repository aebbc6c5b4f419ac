"""What `audio_url` reaches: nothing but the allowed host, at a public address that was looked up once.

The host stands on loopback under an authority made here; a socket that would go to its public address goes there.
"""

import asyncio
import base64
import datetime
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from services.audio.fetch import UrlPolicy, fetch, is_public, make_tls_context
from services.errors import BadUrl, TooLarge

HOST, OTHER = "audio.example.org", "other.example.org"
PUBLIC, PUBLIC_V6 = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
POLICY = UrlPolicy(hosts=(HOST, OTHER), max_bytes=100_000, timeout_s=1.0)


def lines(name: str) -> list[str]:
    return [line for line in Path(__file__).with_name(name).read_text().splitlines() if not line.startswith("#")]


FORBIDDEN = [json.loads(f'"{line}"') for line in lines("forbidden_urls.txt")]
HOSTS, NOT_PUBLIC = lines("forbidden_hosts.txt"), lines("forbidden_addresses.txt")
CLIP = b"RIFF" + bytes(range(256)) * 100


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate of HOST, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(made.public_bytes(encoding))
    (folder / "key.pem").write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain))
    return folder / "cert.pem", folder / "key.pem"


class Internet:
    """Answers look-ups with what stands in `answers`, one list a look-up, and carries PUBLIC to a local port."""

    def __init__(self) -> None:
        self.answers: list[list[str]] = [[PUBLIC]]
        self.looked_up: list[str] = []
        self.connected: list[str] = []
        self.requests: list[web.Request] = []
        self.port = 0

    def getaddrinfo(self, host: str, port: int, *_: object, **__: object) -> list[Any]:
        if host == "127.0.0.1":  # the test's own server
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        self.looked_up.append(host)
        addresses = self.answers[min(len(self.looked_up), len(self.answers)) - 1]
        if not addresses:
            raise socket.gaierror("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def connect(self, before: Callable[..., None]) -> Callable[..., None]:
        def connect(sock: socket.socket, address: Any) -> None:  # noqa: ANN401 - whatever a socket takes
            self.connected.append(f"{address[0]}:{address[1]}")
            before(sock, ("127.0.0.1", self.port) if address[0] == PUBLIC else address)

        return connect


async def _serve_clip(request: web.Request) -> web.StreamResponse:
    match request.path:
        case "/redirect":
            raise web.HTTPFound("https://other.example.org/clip.wav")
        case "/announced":
            return web.Response(body=bytes(POLICY.max_bytes + 1))
        case "/slow" | "/endless":
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(200):
                await response.write(bytes(1 if request.path == "/slow" else 10_000))
                await asyncio.sleep(0.05 if request.path == "/slow" else 0)
            return response
        case "/bomb":
            response = web.Response(body=CLIP)
            response.enable_compression(web.ContentCoding.gzip, strategy=0)
            return response
        case "/missing":
            raise web.HTTPNotFound
    return web.Response(body=CLIP)


@pytest.fixture
async def internet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Internet]:
    net = Internet()
    cert, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    async def answer(request: web.Request) -> web.StreamResponse:
        net.requests.append(request)
        return await _serve_clip(request)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    net.port = runner.addresses[0][1]
    monkeypatch.setattr(socket, "getaddrinfo", net.getaddrinfo)
    monkeypatch.setattr(socket.socket, "connect", net.connect(socket.socket.connect))
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    make_tls_context.cache_clear()
    yield net
    make_tls_context.cache_clear()
    await runner.cleanup()


async def test_an_allowed_url_is_fetched(internet: Internet) -> None:
    assert await fetch(f"https://{HOST}:443/a%20b.wav?sig=x%2Fy", POLICY) == CLIP
    assert internet.connected == [f"{PUBLIC}:443"]
    assert internet.requests[0].raw_path == "/a%20b.wav?sig=x%2Fy"
    assert internet.requests[0].host.removesuffix(":443") == HOST


def test_there_are_sixty_forbidden_forms_and_none_twice() -> None:
    assert len(set(FORBIDDEN)) == len(FORBIDDEN) >= 60


@pytest.mark.parametrize("url", FORBIDDEN, ids=ascii)
async def test_a_forbidden_url_is_refused_before_any_look_up(url: str, internet: Internet) -> None:
    with pytest.raises(BadUrl) as error:
        await fetch(url, POLICY)
    assert (error.value.http_status, error.value.code, error.value.param) == (400, "bad_audio_url", "audio_url")
    assert (internet.looked_up, internet.connected) == ([], [])


@pytest.mark.parametrize("host", HOSTS)
def test_a_name_that_is_not_public_cannot_be_allowed(host: str) -> None:
    with pytest.raises(ValidationError, match="is not a host that can be allowed"):
        UrlPolicy(hosts=(host,))


async def test_without_allowed_hosts_nothing_is_fetched(internet: Internet) -> None:
    with pytest.raises(BadUrl, match="fetches no URLs"):
        await fetch(f"https://{HOST}/clip.wav", UrlPolicy())
    assert internet.looked_up == []


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_a_name_that_leads_inside_is_refused(address: str, internet: Internet) -> None:
    for addresses in ([address], [PUBLIC, address]):
        internet.answers, internet.looked_up = [addresses], []
        with pytest.raises(BadUrl, match="not on the open Internet"):
            await fetch(f"https://{HOST}/clip.wav", POLICY)
    assert internet.connected == []


def test_the_open_internet_is_public() -> None:
    assert all(map(is_public, (PUBLIC, PUBLIC_V6, "8.8.8.8", "1.1.1.1", "2a00:1450:4001:81b::200e")))


async def test_a_name_is_looked_up_once_so_rebinding_changes_nothing(internet: Internet) -> None:
    internet.answers = [[PUBLIC], ["127.0.0.1"]]
    assert await fetch(f"https://{HOST}/clip.wav", POLICY) == CLIP
    assert (internet.looked_up, internet.connected) == ([HOST], [f"{PUBLIC}:443"])
    with pytest.raises(BadUrl, match="not on the open Internet"):
        await fetch(f"https://{HOST}/clip.wav", POLICY)


async def test_a_redirect_is_not_followed(internet: Internet) -> None:
    with pytest.raises(BadUrl, match="answered 302"):
        await fetch(f"https://{HOST}/redirect", POLICY)
    assert len(internet.requests) == len(internet.connected) == 1


@pytest.mark.parametrize("path", ["announced", "endless"])
async def test_more_bytes_than_accepted_are_refused(path: str, internet: Internet) -> None:
    with pytest.raises(TooLarge, match="more than 100000 bytes"):
        await fetch(f"https://{HOST}/{path}", POLICY)


async def test_compression_is_not_undone(internet: Internet) -> None:
    data = await fetch(f"https://{HOST}/bomb", POLICY)
    assert "gzip" not in internet.requests[0].headers["Accept-Encoding"]
    assert len(data) < len(CLIP)


async def test_a_slow_server_is_left(internet: Internet) -> None:
    started = asyncio.get_running_loop().time()
    with pytest.raises(BadUrl, match="within 1 s"):
        await fetch(f"https://{HOST}/slow", POLICY)
    assert asyncio.get_running_loop().time() - started < 3


async def test_a_certificate_of_another_name_is_refused(internet: Internet) -> None:
    with pytest.raises(BadUrl, match="ClientConnectorCertificateError"):
        await fetch(f"https://{OTHER}/clip.wav", POLICY)
    assert internet.requests == []


async def test_an_unknown_authority_is_refused(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    make_tls_context.cache_clear()
    with pytest.raises(BadUrl, match="ClientConnectorCertificateError"):
        await fetch(f"https://{HOST}/clip.wav", POLICY)


async def test_what_is_not_there_is_told(internet: Internet) -> None:
    with pytest.raises(BadUrl, match="answered 404"):
        await fetch(f"https://{HOST}/missing", POLICY)
    internet.answers = [[]]
    with pytest.raises(BadUrl, match="has no address"):
        await fetch(f"https://{HOST}/clip.wav", POLICY)


async def test_errors_do_not_repeat_what_may_be_secret(internet: Internet) -> None:
    for url in (f"https://me:hunter2@{HOST}/", f"https://{HOST}/missing?sig=hunter2", f"http://{HOST}/?hunter2"):
        with pytest.raises(BadUrl) as error:
            await fetch(url, POLICY)
        assert "hunter2" not in str(error.value)


async def test_a_data_url_is_decoded_here(internet: Internet) -> None:
    assert await fetch("data:audio/wav;base64," + base64.b64encode(CLIP).decode(), UrlPolicy()) == CLIP
    assert internet.looked_up == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("data:", "holds no comma"),
        ("data:audio/wav;base64", "holds no comma"),
        ("data:audio/wav;base64,", "holds no recording"),
        ("data:audio/wav;base64,a", "is not base64"),
        ("data:audio/wav;base64,QUJD?", "is not base64"),
    ],
)
async def test_a_data_url_without_a_recording_is_refused(url: str, why: str) -> None:
    with pytest.raises(BadUrl, match=why):
        await fetch(url, POLICY)


@pytest.mark.parametrize("num_bytes", [POLICY.max_bytes + 1, 10 * POLICY.max_bytes])
async def test_a_data_url_has_its_bound(num_bytes: int) -> None:
    with pytest.raises(TooLarge):
        await fetch("data:audio/wav;base64," + base64.b64encode(bytes(num_bytes)).decode(), POLICY)
