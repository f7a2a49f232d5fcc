"""Checkpoints in an SQLite file, through one connection that all runs of the process share."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path
from typing import Any

import aiosqlite
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from app.graph.frugal_saver import FrugalSaver
from core.ids import RunId

BUSY_TIMEOUT_MS = 30_000


class SqliteSaver(FrugalSaver, AsyncSqliteSaver):
    """See `AsyncSqliteSaver`; those of all runs share its connection and its lock."""

    def for_attempt(self) -> "SqliteSaver":
        """Return a saver for one attempt."""
        saver = copy(self)
        saver._outdated = set()
        return saver

    async def _keep(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> None:
        await AsyncSqliteSaver.aput(self, config, checkpoint, metadata, new_versions)

    async def _keep_result(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str,
    ) -> None:
        await AsyncSqliteSaver.aput_writes(self, config, writes, task_id, task_path)


class SqliteCheckpoints:
    """See `Checkpoints`. Nothing is fenced: there is one process, and it knows its own runs."""

    def __init__(self, saver: SqliteSaver) -> None:
        self._saver = saver

    def saver(self, run_id: RunId, fence: int) -> SqliteSaver:
        """See `Checkpoints`."""
        return self._saver.for_attempt()

    async def forget(self, run_ids: Sequence[RunId]) -> None:
        """See `Checkpoints`."""
        for run_id in run_ids:
            await self._saver.adelete_thread(run_id)


@asynccontextmanager
async def opened(
    path: Path, connect: Callable[[Path], aiosqlite.Connection]
) -> AsyncIterator[SqliteCheckpoints]:
    """Give the checkpoints in the file at `path`; see `checkpoints.sqlite_checkpoints`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    async with connect(path) as connection:
        await connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        # A crashed process loses nothing; FULL costs four times the runs a second.
        await connection.execute("PRAGMA synchronous=NORMAL")
        # Plain data only: a checkpoint cannot name a class to be built.
        serializer = JsonPlusSerializer(allowed_msgpack_modules=None)
        saver = SqliteSaver(connection, serde=serializer)
        await saver.setup()
        yield SqliteCheckpoints(saver)
