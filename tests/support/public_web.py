"""A public web on the loopback: names, addresses and pages that nobody else's network has.

Nothing outside can be reached from a test. So the pages "of" public addresses are on a listener of
the loopback, and `MappedTransport` leads there: it stands behind all of the fetcher's checks, where
connections are made. What is not one of those addresses it leads to a canary, whatever the port,
as on a machine where something listens at every private address.
"""

import asyncio
import contextlib
import gzip
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from core.ports.web import FetchFailed

PUBLIC_4 = "93.184.216.34"
OTHER_4 = "151.101.1.69"
PUBLIC_6 = "2606:2800:220:1:248:1893:25c8:1946"
NAT64 = "64:ff9b::5db8:d822"
SILENT = "151.101.65.69"
PUBLIC = frozenset({PUBLIC_4, OTHER_4, PUBLIC_6, NAT64})
SECRET = "the canary's secret"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PACKED = gzip.compress(b"packed text")
BOMB = gzip.compress(bytes(30_000_000))
HTML = b"<title>Opening hours</title><script>x()</script><h1>Shop</h1><p>Open   <b>daily</b>.</p>"


@dataclass
class Canary:
    """Counts who came; what it answers must never be seen."""

    port: int = 0
    connections: int = 0

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write(_response("200 OK", "text/plain", SECRET.encode()))
        await _close(writer)


@dataclass
class PublicServer:
    """Serves the same pages for every name. hosts: what the Host headers said. heads: in full."""

    port: int = 0
    tls_port: int = 0
    hosts: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    tls_names: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        lines = head.split("\r\n")
        self.hosts += [line[6:] for line in lines if line.lower().startswith("host: ")]
        writer.write(_page(lines[0].split(" ")[1]))
        await _close(writer)


class StubResolver:
    """Answers from a table. A name with several answers gives one after the other.

    Like the system's, it takes an IPv4 address in every old notation for what it stands for.
    """

    def __init__(self, names: dict[str, Sequence[Sequence[str]]]) -> None:
        self._names = names
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        with contextlib.suppress(OSError):
            return [socket.inet_ntoa(socket.inet_aton(host))]
        if host not in self._names:
            raise FetchFailed(f"The name {host} is not known.")
        answers = self._names[host]
        return answers[min(self.asked.count(host), len(answers)) - 1]


class MappedTransport(httpx.AsyncBaseTransport):
    """Makes connections on the loopback: to the public server, else to the canary."""

    def __init__(self, server: PublicServer, canary: Canary, trust: ssl.SSLContext) -> None:
        self._server = server
        self._canary = canary
        self._real = httpx.AsyncHTTPTransport(verify=trust, trust_env=False)
        self.reached: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # No name comes this far: whoever connects has nothing left to resolve.
        address = str(ip_address(request.url.host))
        self.reached.append(address)
        if address == SILENT:
            raise httpx.ConnectTimeout("nobody answers")
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port(address, request.url))
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        await self._real.aclose()

    def _port(self, address: str, url: httpx.URL) -> int:
        if address not in PUBLIC:
            return self._canary.port
        return self._server.tls_port if url.scheme == "https" else self._server.port


@dataclass
class PublicWeb:
    server: PublicServer
    canary: Canary
    transport: MappedTransport


@asynccontextmanager
async def public_web(folder: Path, names: Sequence[str]) -> AsyncIterator[PublicWeb]:
    """Give a web whose server has a certificate for `names`, and a canary."""
    server, canary = PublicServer(), Canary()
    certificate, key = _certificate(folder, names)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    served.sni_callback = lambda _, name, __: server.tls_names.append(name or "")
    trust = ssl.create_default_context(cafile=str(certificate))
    async with AsyncExitStack() as stack:
        canary.port = await _listen(stack, canary.meet)
        server.port = await _listen(stack, server.serve)
        server.tls_port = await _listen(stack, server.serve, served)
        transport = MappedTransport(server, canary, trust)
        stack.push_async_callback(transport.aclose)
        yield PublicWeb(server, canary, transport)


async def _listen(stack: AsyncExitStack, serve: Serve, tls: ssl.SSLContext | None = None) -> int:
    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    await stack.enter_async_context(listener)
    port: int = listener.sockets[0].getsockname()[1]
    return port


def _page(path: str) -> bytes:
    asked = urlsplit(path)
    query = {name: values[0] for name, values in parse_qs(asked.query).items()}
    if asked.path == "/to":
        location = query["url"].encode()
        status = f"{query.get('status', '302')} Elsewhere"
        return _response(
            status, "text/plain", b"a redirect's own text", b"Location: %b\r\n" % location
        )
    pages = {
        "/html": ("text/html; charset=utf-8", HTML, b""),
        "/json": ("application/json", b'{"a": 1}', b""),
        "/feed": ("application/atom+xml", b"<feed/>", b""),
        "/latin": ("text/plain; charset=iso-8859-1", "café".encode("latin-1"), b""),
        "/packed": ("text/plain", PACKED, b"Content-Encoding: gzip\r\n"),
        "/bomb": ("text/plain", BOMB, b"Content-Encoding: gzip\r\n"),
        "/damaged": ("text/plain", b"not packed", b"Content-Encoding: gzip\r\n"),
        "/brotli": ("text/plain", b"x", b"Content-Encoding: br\r\n"),
        "/large": ("text/plain", b"x" * 6_000_000, b""),
        "/pdf": ("application/pdf", b"%PDF", b""),
        "/cookie": ("text/plain", b"biscuit", b"Set-Cookie: a=b\r\n"),
        "/no-http": ("", b"", b""),
    }
    if asked.path == "/no-http":
        return b"what?\r\n\r\n"
    if asked.path == "/missing":
        return _response("404 Not Found", "text/html", b"<p>Nothing here.</p>")
    return _response("200 OK", *pages.get(asked.path, ("text/plain", b"welcome", b"")))


def _response(status: str, media_type: str, body: bytes, more: bytes = b"") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + more + b"\r\n" + body


async def _close(writer: asyncio.StreamWriter) -> None:
    try:
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    except OSError:
        # The fetcher has left: it has read all that it may.
        pass


def _certificate(folder: Path, names: Sequence[str]) -> tuple[Path, Path]:
    """Make a certificate that signs itself, for names and addresses."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    alternatives = ",".join(
        f"IP:{name}" if name.replace(".", "").isdigit() or ":" in name else f"DNS:{name}"
        for name in names
    )
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=test", "-keyout", str(key)]
    command += ["-out", str(certificate), "-addext", f"subjectAltName={alternatives}"]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key
