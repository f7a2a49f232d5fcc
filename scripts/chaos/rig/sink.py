"""The outside, for tools with effects: `python -m scripts.chaos.rig.sink FILE`.

What is posted to it is done by being written down, one JSON object a line, on disk before it is
answered:

    {"t": 12.3, "way": "once", "key": "…", "task": "…", "is_done": true, "receipt": 7}

`/once` does what comes under a key once and answers the same receipt ever after; every other
address does it each time. The first line that is printed is its address.
"""

import json
import os
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TextIO

ONCE = "once"
# Before and after the effect, at most: so a node that is killed at any moment is often killed
# while it waits for an answer, with the effect still to come or done.
_PAUSE_SECONDS = 0.15


class Sink:
    """Does what is asked; one line each. file: on disk, to be closed by its owner."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._receipts: dict[str, int] = {}
        self._count = 0

    def do(self, way: str, key: str, task: str) -> int:
        """Do it, unless it was done under this key and once is enough; return the receipt."""
        with self._lock:
            known = self._receipts.get(key) if way == ONCE else None
            if known is None:
                self._count += 1
            receipt = known or self._count
            self._receipts.setdefault(key, receipt)
            line = {"t": time.monotonic(), "way": way, "key": key, "task": task}
            self._file.write(json.dumps(line | {"is_done": known is None, "receipt": receipt}))
            self._file.write("\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        return receipt


def handler_of(sink: Sink) -> type[BaseHTTPRequestHandler]:
    """Return what answers requests to a sink."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Do what is asked, whether or not somebody still waits for the answer."""
            body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
            time.sleep(random.uniform(0, _PAUSE_SECONDS))
            way, key = self.path.strip("/"), self.headers.get("idempotency-key", "")
            receipt = sink.do(way, key, str(body.get("task", "")))
            time.sleep(random.uniform(0, _PAUSE_SECONDS))
            self._answer(f"receipt-{receipt}.".encode())

        def _answer(self, text: bytes) -> None:
            try:
                self.send_response(200)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            except ConnectionError:
                # The node was killed meanwhile.
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


def main() -> None:
    """Serve until killed."""
    with (
        Path(sys.argv[1]).open("a", encoding="utf-8") as file,
        ThreadingHTTPServer(("127.0.0.1", 0), handler_of(Sink(file))) as server,
    ):
        server.daemon_threads = True
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
