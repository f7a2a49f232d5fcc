"""One connection to one Redis server, for what is said and heard thousands of times a second.

The client library spends 30 to 50 µs of processor time on each message and each command of a
pipeline (measured on 2 cores); this costs 2 to 4. It knows nothing but the protocol: commands go
out as they come, replies come back in their order, and nothing is ever repeated.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import hiredis

from app.infra.redis.connection import CONNECT_SECONDS, REPLY_SECONDS
from app.infra.redis.log.scripts import SCRIPTS
from app.infra.redis.log.server import Access, Server

# What Redis answers: bytes, int, None, a list of these, or a `hiredis.ReplyError`.
Reply = Any
# A command's words, or all of them packed already.
Command = tuple[str | bytes | int, ...] | bytes
Hear = Callable[[Reply], None]


class LinkLost(ConnectionError):
    """The connection is gone; whether the last commands were carried out is not known."""


@dataclass(slots=True)
class _Question:
    replies_left: int
    answered: "asyncio.Future[list[Reply]]"
    replies: list[Reply] = field(default_factory=list)


class Link(asyncio.Protocol):
    """A connection. Closed by whoever opened it, or by the first failure, for good.

    run_id: of the server's present start. version: as (7, 0, 15).
    closed: set once it is gone.
    """

    def __init__(self) -> None:
        self.run_id = ""
        self.version: tuple[int, ...] = ()
        self.closed = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader()
        self._questions: deque[_Question] = deque()
        self._hear: Hear | None = None

    @classmethod
    async def open(cls, server: Server, access: Access, name: str) -> "Link":
        """Return a connection on which commands may be sent. Raises `OSError`."""
        async with asyncio.timeout(CONNECT_SECONDS + REPLY_SECONDS):
            link = await _connect(cls, server, access)
            try:
                await link._introduce(access, name)
            except BaseException:
                link.close()
                raise
        return link

    async def ask(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands in one piece and return their replies, errors among them as values.

        Cancelling drops the replies, not the commands. Raises `LinkLost`.
        """
        if self._transport is None or self.closed.is_set():
            raise LinkLost
        loop = asyncio.get_running_loop()
        question = _Question(len(commands), loop.create_future())
        self._questions.append(question)
        self._transport.write(_packed(commands))
        # Closing answers with `LinkLost`; a fifth of what `asyncio.timeout` costs (measured).
        deadline = loop.call_later(REPLY_SECONDS, self.close)
        try:
            return await question.answered
        finally:
            deadline.cancel()

    async def load_scripts(self) -> None:
        """Give the server the scripts, which it forgets when it is told to. Raises `LinkLost`."""
        await self.ask([("SCRIPT", "LOAD", script.text) for script in SCRIPTS])

    def listen(self, hear: Hear) -> None:
        """Give all that comes from now on to `hear`, which must not block or fail."""
        self._hear = hear

    def tell(self, commands: Sequence[Command]) -> None:
        """Send commands whose replies are heard. Raises `LinkLost`."""
        if self._transport is None or self.closed.is_set():
            raise LinkLost
        self._transport.write(_packed(commands))

    def close(self) -> None:
        """End the connection at once; may be called twice."""
        if self._transport is not None:
            self._transport.abort()
        self._end()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        # Whatever the loop calls its transports, a stream's can write.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        try:
            self._reader.feed(data)
            # False is "not enough data": this version of the protocol has no booleans.
            while (reply := self._reader.gets()) is not False:
                if self._hear is not None:
                    self._hear(reply)
                else:
                    self._answer(reply)
        except hiredis.ProtocolError:
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._end()

    def _answer(self, reply: Reply) -> None:
        if not self._questions:
            # Redis speaks unasked only to say why it closes (too many clients, for one).
            self.close()
            return
        question = self._questions[0]
        question.replies.append(reply)
        question.replies_left -= 1
        if not question.replies_left:
            self._questions.popleft()
            if not question.answered.done():
                question.answered.set_result(question.replies)

    def _end(self) -> None:
        self.closed.set()
        while self._questions:
            answered = self._questions.popleft().answered
            if not answered.done():
                answered.set_exception(LinkLost())

    async def _introduce(self, access: Access, name: str) -> None:
        commands: list[Command] = []
        if access.credentials:
            commands.append(("AUTH", *access.credentials))
        if access.database:
            commands.append(("SELECT", access.database))
        demanded = len(commands)
        # A user with few rights may lack this one; nothing depends on it.
        commands.append(("CLIENT", "SETNAME", name))
        commands += [("SCRIPT", "LOAD", script.text) for script in SCRIPTS]
        commands.append(("INFO", "server"))
        replies = await self.ask(commands)
        if refused := [reply for reply in replies[:demanded] if is_error(reply)]:
            raise LinkLost(str(refused[0]).partition(" ")[0])
        # A server that is still loading its data refuses here, and a script is not there then.
        if any(is_error(reply) for reply in replies[demanded + 1 :]):
            raise LinkLost("Redis is not ready")
        facts = _facts(replies[-1])
        self.run_id = facts["run_id"]
        self.version = tuple(map(int, facts["redis_version"].split(".")))


def is_error(reply: Reply) -> bool:
    """Return whether Redis refused a command."""
    return isinstance(reply, hiredis.ReplyError)


def packed(word: bytes) -> bytes:
    """Return one word of a command as it is sent."""
    return b"$%d\r\n%b\r\n" % (len(word), word)


def _packed(commands: Sequence[Command]) -> bytes:
    # The stub knows tuples of one value only.
    pack: Callable[[Command], bytes] = hiredis.pack_command  # type: ignore[assignment]
    return b"".join([command if type(command) is bytes else pack(command) for command in commands])


async def _connect(make: type[Link], server: Server, access: Access) -> Link:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_SECONDS):
        if server.path:
            _, link = await loop.create_unix_connection(make, server.path)
        else:
            _, link = await loop.create_connection(make, server.host, server.port, ssl=access.tls)
    return link


def _facts(info: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in info.decode().split("\r\n"))
    return {name: value for name, colon, value in lines if colon}
