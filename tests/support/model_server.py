"""Starts the scripted model server, a real process, on a free port."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """What the server saw of one request; see `scripts.scripted_model.ledger.Entry`."""

    number: int
    connection: int
    path: str
    authorization: str
    body: str
    outcome: str | None


@dataclass(frozen=True, slots=True)
class ModelServer:
    """A running server. `url` has no path: `/v1` behind it is OpenAI's, itself it is Ollama's."""

    url: str

    @property
    def openai_url(self) -> str:
        """What `OPENAI_BASE_URL` is set to."""
        return f"{self.url}/v1"

    async def requests(self) -> list[SeenRequest]:
        """Return the requests so far, the oldest first."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{self.url}/requests")
        return [SeenRequest(**entry) for entry in answer.json()]

    async def requests_with(self, text: str) -> list[SeenRequest]:
        """Return the requests whose body holds `text`: those of one test among others'."""
        return [seen for seen in await self.requests() if text in seen.body]

    async def ended(self, number: int) -> SeenRequest:
        """Return a request once it has ended: `complete`, or `left` by its client."""
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            answer = await client.get(f"{self.url}/requests/{number}")
        return SeenRequest(**answer.json())


@contextmanager
def model_server_process(*arguments: str) -> Iterator[ModelServer]:
    """Run the server while the block runs; for fixtures that many tests share.

    arguments: as `python -m scripts.scripted_model --help` lists them.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "scripts.scripted_model", *arguments],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield ModelServer(process.stdout.readline().strip())
        finally:
            process.terminate()


@asynccontextmanager
async def model_server(arguments: Sequence[str] = ()) -> AsyncIterator[ModelServer]:
    """Run the server while the block runs; see `model_server_process`."""
    context = model_server_process(*arguments)
    server = await asyncio.to_thread(context.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)
