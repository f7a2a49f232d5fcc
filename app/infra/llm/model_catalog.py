"""Asks a server which models it has."""

import asyncio

from msgspec import MsgspecError, Struct
from msgspec.json import decode

from app.infra.llm.connection_pool import ConnectionPool
from app.infra.llm.endpoint import Endpoint
from app.infra.llm.http_connection import ResponseHead
from core.errors import AppError


class _OpenAIModel(Struct):
    id: str


class _OpenAIModels(Struct):
    data: list[_OpenAIModel]


class _OllamaModel(Struct):
    name: str


class _OllamaModels(Struct):
    models: list[_OllamaModel]


async def openai_models(endpoint: Endpoint, api_key: str, within_seconds: float) -> list[str]:
    """Return the names at `/models`, in the server's order; none where it doesn't say."""
    headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
    body = await _fetch(endpoint, "/models", headers, within_seconds)
    try:
        return [model.id for model in decode(body or b"", type=_OpenAIModels).data]
    except MsgspecError:
        return []


async def ollama_models(endpoint: Endpoint, within_seconds: float) -> list[str] | None:
    """Return the names of an Ollama server's models; None where none answers."""
    body = await _fetch(endpoint, "/api/tags", {}, within_seconds)
    try:
        return [model.name for model in decode(body or b"", type=_OllamaModels).models]
    except MsgspecError:
        return None


async def _fetch(
    endpoint: Endpoint, path: str, headers: dict[str, str], within_seconds: float
) -> bytes | None:
    """Return the body of a successful GET; None for anything else."""
    pool = ConnectionPool(endpoint, within_seconds)
    answer = _WholeAnswer()
    try:
        async with asyncio.timeout(within_seconds):
            connection = await pool.take()
            connection.send(endpoint.request("GET", path, headers) + b"\r\n", answer)
            try:
                return await answer.body_or_none
            finally:
                connection.abort()
    except (AppError, TimeoutError):
        return None


class _WholeAnswer:
    """A `Receiver` that gathers a whole body."""

    def __init__(self) -> None:
        self.body_or_none: asyncio.Future[bytes | None]
        self.body_or_none = asyncio.get_running_loop().create_future()
        self._status = 0
        self._data = bytearray()

    def head(self, head: ResponseHead) -> None:
        """See `Receiver`."""
        self._status = head.status

    def body(self, data: bytes) -> None:
        """See `Receiver`."""
        self._data += data

    def end(self) -> None:
        """See `Receiver`."""
        self._settle(bytes(self._data) if self._status == 200 else None)

    def lost(self, *, is_stale: bool) -> None:
        """See `Receiver`."""
        self._settle(None)

    def _settle(self, body: bytes | None) -> None:
        if not self.body_or_none.done():
            self.body_or_none.set_result(body)
