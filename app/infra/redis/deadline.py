"""Bounds what Redis may take, and says in our words that it can't be used."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import RedisClusterException, RedisError

from core.errors import StorageUnavailable


@asynccontextmanager
async def deadline(seconds: float) -> AsyncIterator[None]:
    """Give so long to whatever is asked of Redis inside. Raises `StorageUnavailable`.

    A cancellation always comes through: the client library sends with `asyncio.wait_for`, and
    Python 3.11's drops it where the sending has just ended (3.12's does not).
    """
    task = asyncio.current_task()
    cancellations = task.cancelling() if task else 0
    try:
        async with asyncio.timeout(seconds):
            yield
    except (RedisError, RedisClusterException, OSError, RuntimeError) as error:
        # The last is uvloop's word for a connection that was closed while it was written to.
        raise StorageUnavailable("Redis can't be used.") from error
    finally:
        if task and task.cancelling() > cancellations:
            raise asyncio.CancelledError
