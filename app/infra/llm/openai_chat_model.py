"""The fast lane: streams from any server that speaks the OpenAI protocol, at 10 µs a token.

The request is langchain-openai's, the way back is ours: what one read from the network brought
goes to the sink in the same call, past every queue and task.
"""

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from app.infra.llm.connection_pool import ConnectionPool
from app.infra.llm.deadlines import ModelDeadlines
from app.infra.llm.endpoint import Endpoint
from app.infra.llm.http_connection import HttpConnection
from app.infra.llm.openai_payload import OpenAIPayload
from app.infra.llm.provider_faults import begun, gone_quiet, no_first_token, too_slow
from app.infra.llm.reply_reader import ReplyReader
from app.infra.llm.streamed_reply import StaleConnection, StreamedReply
from core.errors import ModelUnavailable
from core.ports.chat_model import ModelReply, PromptMessage, ReplySink, ToolOffer

T = TypeVar("T")


class OpenAIChatModel:
    """See `ChatModel`. Retries nothing but connections that the server had closed meanwhile.

    provider: what `Usage` calls it.
    api_key: empty where the server asks for none.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        name: str,
        *,
        deadlines: ModelDeadlines,
        api_key: str = "",
        provider: str = "openai",
    ) -> None:
        self._name = name
        self._provider = provider
        self._deadlines = deadlines
        self._payload = OpenAIPayload(name)
        self._pool = ConnectionPool(endpoint, deadlines.connect)
        self._head = endpoint.request("POST", "/chat/completions", _headers(api_key))

    @property
    def name(self) -> str:
        """See `ChatModel`."""
        return self._name

    async def warm(self) -> None:
        """Do the heavy imports, so that the first turn doesn't."""
        await self._payload.load()

    async def stream(
        self,
        prompt: Sequence[PromptMessage],
        sink: ReplySink,
        tools: Sequence[ToolOffer] = (),
    ) -> ModelReply:
        """See `ChatModel`."""
        started_at = asyncio.get_running_loop().time()
        body = await self._payload.build(prompt, tools)
        request = b"%bcontent-length: %d\r\n\r\n%b" % (self._head, len(body), body)
        reader = ReplyReader(sink)
        try:
            await self._ask(request, reader, started_at)
            return reader.reply(self._provider, self._name)
        except ModelUnavailable as error:
            if reader.started:
                raise begun(error) from None
            raise

    async def close(self) -> None:
        """See `ChatModel`."""
        await self._pool.close()

    async def _ask(self, request: bytes, reader: ReplyReader, started_at: float) -> None:
        try:
            await self._exchange(await self._pool.take(), request, reader, started_at)
        except StaleConnection:
            # Nothing was read and nothing was said: once more, on one that can't be stale.
            await self._exchange(await self._pool.connect(), request, reader, started_at)

    async def _exchange(
        self, connection: HttpConnection, request: bytes, reader: ReplyReader, started_at: float
    ) -> None:
        reply = StreamedReply(reader)
        connection.send(request, reply)
        try:
            await self._wait(reply, started_at)
        except BaseException:
            # Above all a cancelled turn: the provider must stop too.
            connection.abandon(reply)
            raise
        connection.leave(reply)

    async def _wait(self, reply: StreamedReply, started_at: float) -> None:
        """Wait for the end of a reply, within its deadlines.

        The waits are set anew when they run out, not with every token: a token costs a look at
        the clock, and a pause is still noticed on time.
        """
        limits = self._deadlines
        last = started_at + limits.total
        if not await _is_done(reply.begun, min(started_at + limits.first_token, last)):
            raise no_first_token()
        deadline = min(reply.heard_at + limits.idle, last)
        while not await _is_done(reply.ended, deadline):
            if deadline == last:
                raise too_slow()
            if deadline >= reply.heard_at + limits.idle:
                raise gone_quiet()
            deadline = min(reply.heard_at + limits.idle, last)
        if (error := reply.ended.result()) is not None:
            raise error


async def _is_done(future: asyncio.Future[T], deadline: float) -> bool:
    """Wait until then at most."""
    seconds = deadline - asyncio.get_running_loop().time()
    done, _ = await asyncio.wait((future,), timeout=max(0.0, seconds))
    return bool(done)


def _headers(api_key: str) -> dict[str, str]:
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "accept-encoding": "identity",
        "user-agent": "colloquy",
    }
    return headers | {"authorization": f"Bearer {api_key}"} if api_key else headers
