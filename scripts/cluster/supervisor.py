"""Runs a plan: starts its parts in order, keeps them alive, and ends them in order."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from scripts.cluster.keeper import Keeper, Say
from scripts.cluster.log_file import LogFile
from scripts.cluster.part import ClusterError, Part
from scripts.cluster.plan import Plan
from scripts.cluster.probe import http_status
from scripts.cluster.record import write_record

TRIM_SECONDS = 30.0
SETTLE_SECONDS = 10.0
POLL_SECONDS = 0.05


class Supervisor:
    """One cluster."""

    def __init__(self, plan: Plan, say: Say) -> None:
        self._plan = plan
        self._say = say
        self._keepers: dict[str, Keeper] = {}
        self._is_up = False

    async def run(self) -> None:
        """Run until cancelled; nothing of it runs afterwards.

        Raises `ClusterError` where a part can't be started. Cancelling once more ends at once
        what is being ended.
        """
        try:
            async with asyncio.TaskGroup() as work, AsyncExitStack() as stack:
                for stage in self._plan.stages:
                    stack.push_async_callback(self._stop, stage)
                    await self._start(stage)
                await self._settle()
                for keeper in self._keepers.values():
                    work.create_task(keeper.watch())
                trimming = work.create_task(self._trim())
                stack.callback(trimming.cancel)
                self._is_up = True
                self._record()
                self._say(f"Colloquy is ready: {self._plan.url}")
                self._say(f"{self._about()} Ctrl-C stops it.")
                await asyncio.Event().wait()
        finally:
            self._plan.places.record.unlink(missing_ok=True)

    async def _start(self, stage: Sequence[Part]) -> None:
        places = self._plan.places
        for part in stage:
            log = LogFile(places.cluster / f"{part.name}.log")
            self._keepers[part.name] = Keeper(part, log, self._say, self._record)
        async with asyncio.TaskGroup() as starts:
            for part in stage:
                starts.create_task(self._keepers[part.name].start())

    async def _stop(self, stage: Sequence[Part]) -> None:
        async with asyncio.TaskGroup() as stops:
            for part in stage:
                stops.create_task(self._keepers[part.name].stop())

    async def _settle(self) -> None:
        """Wait until the balancer has seen that there are nodes."""
        front = self._plan.front
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                while await http_status(front.host, front.port, "/readyz") != 200:  # noqa: ASYNC110
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise ClusterError(
                f"{self._plan.balancer.name} reaches no node; see {self._plan.places.cluster}."
            ) from None

    async def _trim(self) -> None:
        while True:
            await asyncio.sleep(TRIM_SECONDS)
            for keeper in self._keepers.values():
                await asyncio.to_thread(keeper.log.trim)

    def _record(self) -> None:
        if self._is_up:
            pids = {name: keeper.pid for name, keeper in self._keepers.items()}
            write_record(self._plan, pids)

    def _about(self) -> str:
        nodes, places = len(self._plan.nodes), self._plan.places
        return (
            f"{nodes} node{'s' if nodes > 1 else ''} behind {self._plan.balancer.name}; addresses "
            f"in {places.record}, logs in {places.cluster}."
        )
