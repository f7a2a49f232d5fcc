"""Opens LangGraph's SQLite checkpointer."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiosqlite
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

BUSY_TIMEOUT_MS = 30_000


@asynccontextmanager
async def sqlite_checkpoints(
    path: Path, connect: "Callable[[Path], aiosqlite.Connection]"
) -> AsyncIterator["AsyncSqliteSaver"]:
    """Give a saver on the file at `path`; its folder is made where it is missing.

    connect: opens the connection, which is closed at the end.
    """
    # Deferred: LangGraph takes half a second to import.
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    path.parent.mkdir(parents=True, exist_ok=True)
    async with connect(path) as connection:
        await connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        # A crashed process loses nothing; FULL costs four times the runs a second.
        await connection.execute("PRAGMA synchronous=NORMAL")
        # Plain data only: a checkpoint cannot name a class to be built.
        serializer = JsonPlusSerializer(allowed_msgpack_modules=None)
        saver = AsyncSqliteSaver(connection, serde=serializer)
        await saver.setup()
        yield saver
