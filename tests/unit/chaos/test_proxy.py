"""The proxy spoils a link as it is told, and only then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from scripts.chaos.rig.proxy import LostReplies, Proxy, Weather

WAIT_SECONDS = 10


class Echo:
    """A server that answers each line with itself."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.serving: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        with suppress(ConnectionResetError):
            while line := await reader.readline():
                self.heard.append(line)
                writer.write(line)
        writer.close()


@asynccontextmanager
async def link() -> AsyncIterator[tuple[Echo, Proxy]]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    proxy = Proxy("127.0.0.1", server.sockets[0].getsockname()[1])
    await proxy.start()
    try:
        yield echo, proxy
    finally:
        await proxy.stop()
        server.close()
        if echo.serving:
            await asyncio.wait(echo.serving, timeout=WAIT_SECONDS)


class Peer:
    """A client of the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def say(self, line: bytes) -> bytes:
        """Send a line and return the answer; nothing where the connection ended."""
        self._writer.write(line)
        async with asyncio.timeout(WAIT_SECONDS):
            try:
                return await self._reader.readline()
            except ConnectionResetError:
                return b""

    def close(self) -> None:
        self._writer.transport.abort()


@asynccontextmanager
async def peer(proxy: Proxy) -> AsyncIterator[Peer]:
    one = Peer(*await asyncio.open_connection("127.0.0.1", proxy.port))
    try:
        yield one
    finally:
        one.close()


async def test_it_passes_everything_on() -> None:
    async with link() as (_, proxy), peer(proxy) as one:
        assert await one.say(b"a\n") == b"a\n"
        assert await one.say(b"b\n") == b"b\n"


async def test_a_reset_breaks_what_is_open_and_what_comes() -> None:
    async with link() as (_, proxy), peer(proxy) as one:
        await one.say(b"a\n")
        proxy.set(Weather("reset"))
        assert await one.say(b"b\n") == b""
        async with peer(proxy) as other:
            assert await other.say(b"c\n") == b""
        proxy.set(Weather())
        async with peer(proxy) as other:
            assert await other.say(b"d\n") == b"d\n"


async def test_nothing_comes_out_of_a_black_hole_until_it_is_gone() -> None:
    async with link() as (echo, proxy), peer(proxy) as one:
        await one.say(b"a\n")
        proxy.set(Weather("blackhole"))
        async with asyncio.TaskGroup() as group:
            said = group.create_task(one.say(b"b\n"))
            # Whatever is ready is done: the line is on its way, and stays there.
            for _ in range(50):
                await asyncio.sleep(0)
            assert echo.heard == [b"a\n"]
            proxy.set(Weather())
        assert said.result() == b"b\n"


async def test_a_lost_reply_is_lost_after_the_request_arrived() -> None:
    async with link() as (echo, proxy):
        proxy.lose_replies(LostReplies(b"append", every=2, left=1))
        async with peer(proxy) as one:
            assert await one.say(b"append 1\n") == b"append 1\n"
            assert await one.say(b"read\n") == b"read\n"
            assert await one.say(b"append 2\n") == b""
        async with peer(proxy) as one:
            assert await one.say(b"append 3\n") == b"append 3\n"
        assert echo.heard == [b"append 1\n", b"read\n", b"append 2\n", b"append 3\n"]
        assert proxy.lost == 1


@pytest.mark.parametrize(
    "weather", [Weather("delay", seconds=0.01), Weather("throttle", bytes_per_second=100_000)]
)
async def test_what_is_slow_arrives_whole(weather: Weather) -> None:
    async with link() as (_, proxy), peer(proxy) as one:
        proxy.set(weather)
        line = b"x" * 9_000 + b"\n"
        assert await one.say(line) == line
