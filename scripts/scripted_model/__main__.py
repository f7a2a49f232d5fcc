"""Runs the stand-in: `python -m scripts.scripted_model`; the first line it prints is its address.

Point `OPENAI_BASE_URL` at that address with `/v1` behind it, or `OLLAMA_URL` at the address.
"""

import argparse
import asyncio
import signal
import ssl

import uvloop

from scripts.scripted_model.connection import Connection, Stage
from scripts.scripted_model.ledger import Ledger
from scripts.scripted_model.script import Script, read_script


def main() -> None:
    """Serve until interrupted."""
    arguments = _parser().parse_args()
    default = read_script(f"[[{arguments.script}]]", Script()) if arguments.script else Script()
    stage = Stage(tuple(arguments.models.split(",")), default, Ledger())
    tls = None
    if arguments.tls:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*arguments.tls)
    uvloop.run(_serve(arguments.host, arguments.port, stage, tls))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.scripted_model", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    parser.add_argument("--models", default="scripted-1", help="names, separated by commas")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="files; then it is https")
    parser.add_argument("--script", default="", help="for prompts without one: 'tokens=50 rate=30'")
    return parser


async def _serve(host: str, port: int, stage: Stage, tls: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(stage), host, port, backlog=2048, ssl=tls)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    scheme = "https" if tls else "http"
    print(f"{scheme}://{host}:{server.sockets[0].getsockname()[1]}", flush=True)
    await stop.wait()
    # Clients that are still connected are cut off: it is a stand-in.
    server.close()


if __name__ == "__main__":
    main()
