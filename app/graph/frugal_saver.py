"""Which of the states that LangGraph hands to a saver are worth a trip to the database."""

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
)
from langgraph.checkpoint.serde.types import ERROR

from core.failpoints import reach

# LangGraph asks for a step's checkpoint one turn of the loop after the step's last result.
TURNS_TO_CHECKPOINT = 4


class FrugalSaver(BaseCheckpointSaver[str]):
    """Keeps what whoever takes a run over has use for; made for one attempt at one run.

    Of a turn with three agents one after the other, these are three writes instead of nine.
    """

    _outdated: set[str]
    """Checkpoints that another one has followed, or is about to."""

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """See `BaseCheckpointSaver`.

        The states before the first agent's step are not kept: every attempt begins with them.
        """
        place = config["configurable"]
        if parent := place.get("checkpoint_id"):
            self._outdated.add(parent)
        if metadata["step"] > 0:
            await self._keep(config, checkpoint, metadata, new_versions)
            reach("after_checkpoint")
        here = {name: place[name] for name in ("thread_id", "checkpoint_ns")}
        return {"configurable": {**here, "checkpoint_id": checkpoint["id"]}}

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """See `BaseCheckpointSaver`.

        Kept are the results of agents whose neighbours are still at work: after the last one the
        step's checkpoint holds them all. An agent that failed is asked again, whatever it said.
        """
        if any(channel == ERROR for channel, _ in writes):
            return
        for _ in range(TURNS_TO_CHECKPOINT):
            await asyncio.sleep(0)
            if config["configurable"]["checkpoint_id"] in self._outdated:
                return
        await self._keep_result(config, writes, task_id, task_path)

    @abstractmethod
    async def _keep(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> None: ...

    @abstractmethod
    async def _keep_result(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str,
    ) -> None: ...
