"""Runs what was admitted, side by side, in a bounded number of slots."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

import structlog

from app.turns.performer import Performer
from app.turns.stop import Stop
from core.errors import AppError
from core.ids import RunId
from core.ports.run_store import RunStore
from core.runs import Run

RETRY_SECONDS = 1.0

T = TypeVar("T")
log = structlog.get_logger(__name__)


class Runner:
    """Owns the tasks of all runs of this process, and the slots they work in."""

    def __init__(self, performer: Performer, runs: RunStore, slots: int) -> None:
        self._performer = performer
        self._runs = runs
        self._slots = slots
        self._reserved = 0
        self._queued = 0
        self._active: dict[RunId, Stop] = {}
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._group: asyncio.TaskGroup | None = None
        self._is_draining = False

    @property
    def is_draining(self) -> bool:
        """Whether no more runs are taken because the process is about to stop."""
        return self._is_draining

    async def serve(self, ready: asyncio.Event) -> None:
        """Take runs until cancelled; what is at work then stays on disk for the next process.

        ready: set once runs may be started. Those that the last process left are taken first.
        """
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._queued = await self._runs.reopen()
            self._wake.set()
            ready.set()
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._claim_waiting()

    async def owned(self, work: Coroutine[object, object, T]) -> T:
        """Await work that goes on to its end even where its caller is cancelled."""
        assert self._group is not None
        return await asyncio.shield(self._group.create_task(work))

    def reserve(self) -> bool:
        """Take a slot for a run that is being admitted, if one is free."""
        free = not self._is_draining and self._in_use < self._slots
        self._reserved += free
        return free

    def release(self) -> None:
        """Give a reserved slot back."""
        self._reserved -= 1

    def start(self, run: Run) -> None:
        """Begin a run in a slot reserved before."""
        assert self._group is not None
        self._reserved -= 1
        stop = Stop()
        if run.cancel_requested:
            stop.ask()
        self._active[run.id] = stop
        self._idle.clear()
        self._group.create_task(self._perform(run, stop))

    def enqueued(self) -> None:
        """Hear that one more run waits."""
        self._queued += 1
        self._wake.set()

    def stop(self, run_id: RunId) -> None:
        """End a run that is at work here; its answer so far is kept."""
        stop = self._active.get(run_id)
        if stop is not None:
            stop.ask()

    async def drain(self, seconds: float) -> None:
        """Take no more runs, and give those at work so long to finish."""
        self._is_draining = True
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            log.info("runner.left_runs", count=len(self._active))

    @property
    def _in_use(self) -> int:
        return len(self._active) + self._reserved

    async def _perform(self, run: Run, stop: Stop) -> None:
        try:
            await self._performer.perform(run, stop)
        except Exception:
            # A task's border: one run's bug may not end its neighbours.
            log.exception("run.lost", run_id=run.id)
        finally:
            del self._active[run.id]
            if not self._active:
                self._idle.set()
            if self._queued:
                self._wake.set()

    async def _claim_waiting(self) -> None:
        while self._queued and self.reserve():
            try:
                run = await self._runs.claim()
            except AppError:
                self.release()
                log.exception("runner.claim_failed")
                await asyncio.sleep(RETRY_SECONDS)
                self._wake.set()
                return
            if run is None:
                self.release()
                return
            self._queued -= 1
            self.start(run)
