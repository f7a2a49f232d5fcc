"""LangGraph's Postgres saver for one attempt at one run: it writes only while that has the run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString, NoReturn

import structlog
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.base import SerializerProtocol
from psycopg.types.json import Jsonb

from app.graph.checkpoint_pool import CheckpointPool
from app.graph.checkpoints import Fenced
from app.graph.fenced_statements import NEWEST, PUT_CHECKPOINT, PUT_WRITES
from app.graph.frugal_saver import FrugalSaver
from core.errors import StorageUnavailable
from core.ids import RunId

log = structlog.get_logger(__name__)


class FencedPostgresSaver(FrugalSaver, AsyncPostgresSaver):
    """See `AsyncPostgresSaver`, `Checkpoints.saver`. Cheap to make: one for each attempt.

    Every write is one statement, so one trip and one transaction, and begins with locking the
    run's row as this attempt's.
    """

    def __init__(
        self, pool: CheckpointPool, serializer: SerializerProtocol, run_id: RunId, fence: int
    ) -> None:
        super().__init__(pool.connections, serde=serializer)
        self._pool = pool
        self._attempt = {"run_id": run_id, "fence": fence}
        self._outdated = set()

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """See `AsyncPostgresSaver`. Only the newest can be asked for."""
        if "checkpoint_id" in config["configurable"]:
            raise NotImplementedError("A run goes on from its newest checkpoint.")
        row = await self._pool.first_row(self.SELECT_SQL + NEWEST, _place_of(config))
        return None if row is None else await self._load_checkpoint_tuple(row)

    async def _keep(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> None:
        inline, apart = _split(checkpoint["channel_values"])
        new = {name: value for name, value in apart.items() if name in new_versions}
        values = {
            "checkpoint_id": checkpoint["id"],
            "parent_id": config["configurable"].get("checkpoint_id"),
            "checkpoint": Jsonb({**checkpoint, "channel_values": inline}),
            "metadata": Jsonb(get_serializable_checkpoint_metadata(config, metadata)),
            "versions": [new_versions[name] for name in new],
            **self._columns_of(new.items()),
        }
        await self._write(PUT_CHECKPOINT, _place_of(config) | values)

    async def _keep_result(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str,
    ) -> None:
        values = {
            "checkpoint_id": config["configurable"]["checkpoint_id"],
            "task_id": task_id,
            "task_path": task_path,
            "places": [WRITES_IDX_MAP.get(name, place) for place, (name, _) in enumerate(writes)],
            **self._columns_of(writes),
        }
        try:
            await self._write(PUT_WRITES, _place_of(config) | values)
        except StorageUnavailable:
            # The run goes on: only a takeover in this step would miss it, and ask again.
            log.warning("checkpoints.result_not_kept", run_id=self._attempt["run_id"])

    def _cursor(self, *, pipeline: bool = False) -> NoReturn:
        # Whatever else LangGraph writes or deletes, it comes by here, and would not be fenced.
        raise NotImplementedError("A saver of one attempt only reads and adds checkpoints.")

    async def _write(self, statement: LiteralString, values: Mapping[str, object]) -> None:
        row = await self._pool.first_row(statement, {**self._attempt, **values})
        if row is None or not row["held"]:
            raise Fenced

    def _columns_of(self, values: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {"channels": [], "types": [], "blobs": []}
        for name, value in values:
            kind, blob = self.serde.dumps_typed(value)
            columns["channels"].append(name)
            columns["types"].append(kind)
            columns["blobs"].append(blob)
        return columns


def _place_of(config: RunnableConfig) -> dict[str, Any]:
    place = config["configurable"]
    return {"thread_id": place["thread_id"], "checkpoint_ns": place.get("checkpoint_ns", "")}


def _split(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what stands in the checkpoint itself, and what is kept apart, a version at a time."""
    inline: dict[str, Any] = {}
    apart: dict[str, Any] = {}
    for name, value in values.items():
        is_plain = value is None or isinstance(value, str | int | float | bool)
        (inline if is_plain else apart)[name] = value
    return inline, apart
