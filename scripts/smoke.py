"""Goes a stranger's way: `make run` twice, `make cluster`; a document, a question, an answer.

usage: python -m scripts.smoke FOLDER, a checkout in which nothing needs to be set up.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
from ag_ui.core import (
    CustomEvent,
    Event,
    RunErrorEvent,
    RunFinishedEvent,
    TextMessageContentEvent,
)
from pydantic import TypeAdapter
from websockets.asyncio.client import ClientConnection, connect

RUN = ("make", "run")
CLUSTER = ("make", "cluster")
COLD_SECONDS = 1200.0
# A balancer whose nodes are still starting.
NOT_YET = (httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE)
SECOND_START_SECONDS = 3.0
STOP_SECONDS = 40.0
ANSWER_SECONDS = 60.0

DOCUMENT = """# House rules of the Heron Lighthouse

The lamp is lit at dusk by the keeper on duty. The fog horn sounds every forty seconds.

Visitors may climb the tower on Thursdays. The tower has 211 steps and no lift.
"""
QUESTION = "How many steps does the tower have?"
ANSWER = "211 steps"

EVENTS = TypeAdapter(list[Event])


class SmokeError(Exception):
    """What a stranger would have seen go wrong."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def served(folder: Path, command: Sequence[str], port: int) -> AsyncIterator[float]:
    """Run a command in `folder`; yield the seconds until `/healthz` answered; stop it."""
    # Port 9 answers nobody: a model server on the machine must not change what is tested.
    environment = {**os.environ, "PORT": str(port), "OLLAMA_URL": "http://127.0.0.1:9"}
    begun = time.perf_counter()
    server = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, start_new_session=True
    )
    try:
        async with asyncio.timeout(COLD_SECONDS):
            await healthy(server, port)
        yield time.perf_counter() - begun
    finally:
        await stop(server)


async def healthy(server: asyncio.subprocess.Process, port: int) -> None:
    """Return when `/healthz` answers."""
    async with httpx.AsyncClient(trust_env=False) as client:
        while server.returncode is None:
            try:
                answer = await client.get(f"http://127.0.0.1:{port}/healthz")
            except httpx.TransportError:
                await asyncio.sleep(0.02)
                continue
            if answer.is_success:
                return
            if answer.status_code not in NOT_YET:
                raise SmokeError(f"/healthz answers {answer.status_code}")
            await asyncio.sleep(0.02)
    raise SmokeError(f"the server ended with {server.returncode}")


async def stop(server: asyncio.subprocess.Process) -> None:
    """Stop the server as a supervisor does, and see that nothing of it stays."""
    if server.returncode is None:
        server.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await server.wait()
    except TimeoutError:
        os.killpg(server.pid, signal.SIGKILL)
        raise SmokeError(f"the server did not stop within {STOP_SECONDS:.0f} s") from None
    try:
        os.killpg(server.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    raise SmokeError("the server left processes behind")


async def upload(client: httpx.AsyncClient) -> None:
    """Upload the document and return when it can be searched."""
    answer = await client.post(
        "/api/v1/documents",
        files={"file": ("house-rules.md", DOCUMENT, "text/markdown")},
        data={"collection": "default"},
    )
    if answer.status_code != httpx.codes.ACCEPTED:
        raise SmokeError(f"the upload was answered with {answer.status_code}: {answer.text}")
    path = f"/api/v1/jobs/{answer.json()['job_id']}"
    while True:
        job = (await client.get(path)).raise_for_status().json()
        if job["status"] == "succeeded":
            return
        if job["status"] not in ("queued", "running"):
            raise SmokeError(f"the document's job ended as {job['status']}: {job['error']}")
        await asyncio.sleep(0.05)


async def ask(wire: ClientConnection) -> list[Event]:
    """Ask the question and return every event of the run."""
    conversation_id, run_id = str(uuid4()), str(uuid4())
    question = {"id": str(uuid4()), "role": "user", "content": QUESTION}
    await command(wire, "hello", protocol=1)
    await command(
        wire,
        "run",
        run_id=run_id,
        conversation_id=conversation_id,
        input={"messages": [question]},
        on_busy="reject",
    )
    await command(wire, "subscribe", conversation_id=conversation_id)
    said: list[Event] = []
    while not said or not isinstance(said[-1], RunFinishedEvent | RunErrorEvent):
        frame = json.loads(await wire.recv())
        if frame["type"] == "events":
            said.extend(EVENTS.validate_python(frame["events"]))
    return said


async def command(wire: ClientConnection, kind: str, **fields: object) -> None:
    """Send a command and return when it was answered."""
    await wire.send(json.dumps({"type": kind, "id": kind, **fields}))
    while True:
        frame = json.loads(await wire.recv())
        if frame["type"] == "error":
            raise SmokeError(f"{kind} was answered with {frame['code']}: {frame['message']}")
        if frame.get("id") == kind:
            return


def judge(said: list[Event]) -> str:
    """Return the answer's text, which must cite the document word for word."""
    if isinstance(said[-1], RunErrorEvent):
        raise SmokeError(f"the run ended with: {said[-1].message}")
    text = "".join(event.delta for event in said if isinstance(event, TextMessageContentEvent))
    quotes = list(quoted(said))
    if ANSWER not in text or not any(ANSWER in quote for quote in quotes):
        raise SmokeError(f"no cited answer: {text!r}, quotes {quotes}")
    if any(quote not in DOCUMENT for quote in quotes):
        raise SmokeError(f"a quote is not in the document: {quotes}")
    return text


def quoted(said: list[Event]) -> Iterator[str]:
    """Yield what the answer's citations quote."""
    for event in said:
        if isinstance(event, CustomEvent) and event.name == "citations":
            yield from (citation["quote"] for citation in event.value["citations"])


async def converse(port: int) -> str:
    """Upload, ask, and return the cited answer."""
    address = f"127.0.0.1:{port}"
    async with (
        asyncio.timeout(ANSWER_SECONDS),
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client,
    ):
        page = (await client.get("/")).raise_for_status()
        if "<script" not in page.text:
            raise SmokeError("the page is not served")
        await upload(client)
        async with connect(f"ws://{address}/ws", proxy=None) as wire:
            return judge(await ask(wire))


async def smoke(folder: Path) -> None:
    """Start twice and talk; raise `SmokeError` where a stranger would give up."""
    port = free_port()
    async with served(folder, RUN, port) as seconds:
        print(f"smoke: first start, with everything to set up: {seconds:.1f} s")
    async with served(folder, RUN, port) as seconds:
        # Told, not judged: a machine that is busy with other work is slow for its own reasons.
        print(f"smoke: second start: {seconds:.2f} s to /healthz (bar {SECOND_START_SECONDS})")
        print(f"smoke: {await converse(port)!r}")
    async with served(folder, CLUSTER, port) as seconds:
        print(f"smoke: a cluster, with everything to set up: {seconds:.1f} s")
        print(f"smoke: {await converse(port)!r}")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    try:
        asyncio.run(smoke(parser.parse_args().folder))
    except (SmokeError, TimeoutError, httpx.HTTPError) as error:
        sys.exit(f"smoke: failed: {error or type(error).__name__}")
    print("smoke: passed")


if __name__ == "__main__":
    main()
