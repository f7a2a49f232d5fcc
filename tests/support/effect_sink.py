"""A real HTTP server that writes down what was done to it: the outside, for tools with effects."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class EffectSink:
    """What was posted. effects: (idempotency key, body), in order."""

    url: str
    effects: list[tuple[str, str]] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of what was posted, in order."""
        return [key for key, _ in self.effects]


@contextmanager
def effect_sink() -> Iterator[EffectSink]:
    """Serve on a free port of loopback while the block runs."""
    sink = EffectSink("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Write down what came."""
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            sink.effects.append((self.headers.get("idempotency-key", ""), body.decode()))
            self.send_response(200)
            self.send_header("content-length", "5")
            self.end_headers()
            self.wfile.write(b"done.")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        sink.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield sink
        finally:
            server.shutdown()
            thread.join()
