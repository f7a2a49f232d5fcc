"""What goes wrong while Redis is asked is said in our words."""

import asyncio

import pytest
import uvloop
from redis.exceptions import ConnectionError as RedisConnectionError

from app.infra.redis.deadline import deadline
from core.errors import StorageUnavailable


@pytest.mark.parametrize("error", [RedisConnectionError(), OSError(), TimeoutError()])
async def test_what_the_library_says_is_translated(error: Exception) -> None:
    with pytest.raises(StorageUnavailable):
        async with deadline(20):
            raise error


async def test_what_takes_too_long_is_given_up() -> None:
    with pytest.raises(StorageUnavailable):
        async with deadline(0):
            await asyncio.Event().wait()


def test_a_connection_that_is_gone_when_it_is_written_to_can_not_be_used() -> None:
    """As uvloop has it: `asyncio`'s own loop lets such a write pass."""

    async def write() -> None:
        served = asyncio.Event()

        def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.abort()
            served.set()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            await served.wait()
            writer.transport.abort()
            await asyncio.sleep(0)
            with pytest.raises(StorageUnavailable):
                async with deadline(20):
                    writer.writelines([b"PING"])

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(write())
