"""Download an `audio_url` without server-side request forgery (SSRF): off unless hosts are on an allowlist.

The accepted URLs are given by a grammar, `https://` and one of the allowed names; there is no list of bad forms
to be incomplete. The name is resolved once, every address it has must be public, and the connection goes to the
address that was looked at, while TLS still checks the name. Redirects, proxies, cookies and compression are not
followed, used, kept or undone. `data:` URLs carry their bytes and are decoded here.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from functools import cache
from http import HTTPStatus
from typing import Annotated

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from pydantic import AfterValidator, Field
from yarl import URL

from services.audio.data_url import decode_data_url, is_data_url
from services.errors import BadUrl, TooLarge
from services.types import Value

PORT = 443
CHUNK_BYTES = 65_536
MAX_URL_CHARACTERS = 2_000
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])", re.ASCII)
# No user, no port but 443, no backslash, no fragment, no character that two parsers could read differently.
FETCHED = re.compile(r"https://([a-z0-9.-]+)(?::443)?(/[A-Za-z0-9/._~!$&'()*+,;=:@%?-]*)?", re.ASCII)
# Special names (RFC 6761, 6762, 8375) and the usual ones of private networks.
PRIVATE_SUFFIXES = (".localhost", ".local", ".localdomain", ".internal", ".intranet", ".lan", ".home.arpa", ".arpa")
# Not the open Internet, though Python says so of some: metadata (Oracle, Azure) and 6to4 relays.
NOT_OPEN_V4 = tuple(map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")))
# IPv6 as it is handed out, less Teredo and its like, documentation and 6to4. NAT64, mapped and local lie outside.
UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
NOT_OPEN_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))


def _check_public_name(host: str) -> str:
    if not NAME.fullmatch(host) or f".{host}".endswith(PRIVATE_SUFFIXES):
        raise ValueError(f"{host!r} is not a host that can be allowed; use lower case, as in 'audio.example.org'")
    return host


class UrlPolicy(Value):
    """Allowlist of hosts, size limit and timeout for fetching `audio_url`s."""

    hosts: tuple[Annotated[str, AfterValidator(_check_public_name)], ...] = ()
    """Names that may be asked, each in full; none: no URL is fetched."""
    max_bytes: int = Field(default=25_000_000, gt=0)
    timeout_s: float = Field(default=10.0, gt=0)
    """Seconds from looking the name up to the last byte."""


async def fetch(url: str, policy: UrlPolicy) -> bytes:
    """Return what a URL stands for; `BadUrl` says why not, `TooLarge` that there is more than is accepted."""
    if is_data_url(url):
        return _decode_data_url(url, policy)
    host = _check_host(url, policy)
    try:
        async with asyncio.timeout(policy.timeout_s):
            return await _download(url, host, await _resolve_public_address(host), policy)
    except TimeoutError:
        raise _make_url_error(f"{host} did not send the recording within {policy.timeout_s:g} s.") from None
    except aiohttp.ClientError as error:
        raise _make_url_error(f"{host} could not be asked for the recording ({type(error).__name__}).") from None


def is_public(address: str) -> bool:
    """Say whether an IP address belongs to the open Internet."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        return ip in UNICAST_V6 and not any(ip in network for network in NOT_OPEN_V6)
    closed = ip.is_multicast or ip.is_reserved or any(ip in network for network in NOT_OPEN_V4)
    return ip.is_global and not closed


def _make_url_error(message: str) -> BadUrl:
    return BadUrl(message, param="audio_url")


def _make_size_error(policy: UrlPolicy) -> TooLarge:
    return TooLarge(f"The recording has more than {policy.max_bytes} bytes, the most accepted.", param="audio_url")


def _decode_data_url(url: str, policy: UrlPolicy) -> bytes:
    if len(url) > policy.max_bytes * 4 // 3 + MAX_URL_CHARACTERS:
        raise _make_size_error(policy)
    try:
        data = decode_data_url(url)
    except ValueError as error:
        raise _make_url_error(f"The data: URL {error}; one looks like data:audio/wav;base64,UklGR…") from None
    if not data:
        raise _make_url_error("The data: URL holds no recording; one looks like data:audio/wav;base64,UklGR…")
    if len(data) > policy.max_bytes:
        raise _make_size_error(policy)
    return data


def _check_host(url: str, policy: UrlPolicy) -> str:
    if not policy.hosts:
        raise _make_url_error("This server fetches no URLs; send the recording itself, as base64 in `input_audio`.")
    written = FETCHED.fullmatch(url) if len(url) <= MAX_URL_CHARACTERS else None
    if not written or not NAME.fullmatch(written[1]):
        # The URL is not repeated: it may hold a password or a signature.
        raise _make_url_error(
            "The URL cannot be used; one looks like https://audio.example.org/clip.wav: https, a name in lower case, "
            "port 443, no user, no fragment, everything unusual percent-encoded."
        )
    host = written[1]
    if host not in policy.hosts:
        raise _make_url_error(f"{host!r} is not among the hosts that this server fetches from.")
    return host


async def _resolve_public_address(host: str) -> str:
    """Resolve a host name, once; `BadUrl` where any of its addresses is not public."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
    except OSError:
        raise _make_url_error(f"{host} has no address.") from None
    addresses = [str(socket_address[0]) for *_, socket_address in found]
    if not addresses or not all(map(is_public, addresses)):
        raise _make_url_error(f"{host} is not on the open Internet; only public addresses are fetched from.")
    return addresses[0]


class _PinnedResolver(AbstractResolver):
    """DNS resolver that knows one address of one host: the one that was checked."""

    def __init__(self, host: str, address: str) -> None:
        self._host, self._address = host, address

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - as the base has it
    ) -> list[ResolveResult]:
        """Resolve the host to the address that was checked: no DNS rebinding between check and request."""
        assert (host, port) == (self._host, PORT), "the library reads another host in the URL than we do"
        version = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        return [ResolveResult(hostname=host, host=self._address, port=port, family=version, proto=0, flags=0)]

    async def close(self) -> None:
        """Release nothing: no socket is held."""


@cache
def make_tls_context() -> ssl.SSLContext:
    """Return the context that checks certificates and names; reading the system's authorities takes 20 ms."""
    return ssl.create_default_context()


async def _download(url: str, host: str, address: str, policy: UrlPolicy) -> bytes:
    connector = aiohttp.TCPConnector(
        resolver=_PinnedResolver(host, address), ssl=make_tls_context(), use_dns_cache=False, force_close=True
    )
    headers = {"Accept": "audio/*", "Accept-Encoding": "identity"}
    async with (
        aiohttp.ClientSession(connector=connector, headers=headers, auto_decompress=False, trust_env=False) as session,
        session.get(URL(url, encoded=True), allow_redirects=False) as response,
    ):
        if response.status != HTTPStatus.OK:
            raise _make_url_error(
                f"{host} answered {response.status}; only 200 is taken, and redirects are not followed."
            )
        data = bytearray()
        if (response.content_length or 0) > policy.max_bytes:
            raise _make_size_error(policy)
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            data += chunk
            if len(data) > policy.max_bytes:
                raise _make_size_error(policy)
        return bytes(data)
