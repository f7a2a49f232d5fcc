"""What a graph needs of the place where the state of runs is kept between their steps."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.ids import RunId

if TYPE_CHECKING:
    import aiosqlite
    from langgraph.checkpoint.base import BaseCheckpointSaver


class Fenced(Exception):
    """A later attempt has the run: nothing more is kept of this one."""


class Checkpoints(Protocol):
    """Keeps the state of runs between their steps."""

    def saver(self, run_id: RunId, fence: int) -> "BaseCheckpointSaver[str]":
        """Return the saver of one attempt.

        Its writes raise `Fenced`, and change nothing, once another attempt has the run, or the
        run's end was told; `StorageUnavailable` where the database stays away.
        """
        ...

    async def forget(self, run_ids: Sequence[RunId]) -> None:
        """Delete the checkpoints of these runs. Raises `StorageUnavailable`."""
        ...


OpenCheckpoints = Callable[[], AbstractAsyncContextManager[Checkpoints]]


@asynccontextmanager
async def sqlite_checkpoints(
    path: Path, connect: "Callable[[Path], aiosqlite.Connection]"
) -> AsyncIterator[Checkpoints]:
    """Give the checkpoints in the file at `path`, for one process; its folder is made.

    connect: opens the connection, which is closed at the end.
    """
    module = await asyncio.to_thread(import_module, "app.graph.sqlite_checkpoints")
    async with module.opened(path, connect) as checkpoints:
        yield checkpoints


@asynccontextmanager
async def postgres_checkpoints(url: str, size: int) -> AsyncIterator[Checkpoints]:
    """Give the checkpoints in the database at `url`, shared by all nodes.

    url: of libpq, or SQLAlchemy's with `postgresql+psycopg`.
    size: connections at most.
    Raises `StorageUnavailable` where the database can't be reached.
    """
    module = await asyncio.to_thread(import_module, "app.graph.postgres_checkpoints")
    async with module.opened(url, size) as checkpoints:
        yield checkpoints
