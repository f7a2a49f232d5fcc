"""Runs what was admitted, side by side, in a bounded number of slots."""

import asyncio
import random
from collections.abc import Collection, Coroutine, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog

from app.turns.performer import Performer
from app.turns.stop import Stop, StopReason
from core.errors import AppError
from core.failpoints import reach
from core.ids import RunId
from core.ports.run_store import Held, Leases, RunStore
from core.ports.signals import RunCancelled, RunWaits, Signal, Signals
from core.runs import Run

RETRY_SECONDS = 1.0
# Nodes that look at different times find a lost run sooner, and do not all ask at once.
SCAN_JITTER = 0.2
# What is given away after the drain has a moment to say so.
HAND_OVER_SECONDS = 1.0

T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """A run at work here. `since`: the loop's time at which it began."""

    run: Run
    stop: Stop
    since: float


class Runner:
    """Owns the tasks of all runs of this process, and the slots they work in.

    scan_seconds: between two looks for runs that nobody has; None where nobody else can leave any.
    """

    def __init__(
        self,
        performer: Performer,
        runs: RunStore,
        leases: Leases,
        signals: Signals,
        *,
        slots: int,
        scan_seconds: float | None,
    ) -> None:
        self._performer = performer
        self._runs = runs
        self._leases = leases
        self._signals = signals
        self._slots = slots
        self._scan_seconds = scan_seconds
        self._reserved = 0
        self._active: dict[RunId, Work] = {}
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._group: asyncio.TaskGroup | None = None
        self._is_draining = False
        self._hands_over = False
        self._is_aside = False

    @property
    def is_draining(self) -> bool:
        """Whether no more runs are taken because the process is about to stop."""
        return self._is_draining

    @property
    def is_aside(self) -> bool:
        """Whether no more runs are taken as long as others have to do it."""
        return self._is_aside

    @property
    def is_closed(self) -> bool:
        """Whether nobody would take a run that is admitted now."""
        return self._is_draining and not self._hands_over

    @property
    def slots(self) -> int:
        """How many runs may be at work."""
        return self._slots

    @property
    def free_slots(self) -> int:
        """How many runs could begin here now."""
        return 0 if self._is_away else self._slots - len(self._active)

    def at_work(self) -> Collection[RunId]:
        """Return the runs that are at work now; may be called from another thread."""
        return tuple(self._active)

    async def serve(self, ready: asyncio.Event, warm: asyncio.Event | None = None) -> None:
        """Take runs until cancelled; what is at work then stays on disk for the next process.

        ready: set once runs may be started. Those that the last process left are taken first.
        warm: set once this node is as fast as the others; only what it is asked itself is
            answered before. None: it is the only one.
        """
        self._signals.listen(self._hear_signal)
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._leases.keep(self.at_work, self._hear_leases))
            self._wake.set()
            ready.set()
            if warm is not None:
                await warm.wait()
            while True:
                await self._wait()
                await self._claim_waiting()

    async def owned(self, work: Coroutine[object, object, T]) -> T:
        """Await work that goes on to its end even where its caller is cancelled."""
        assert self._group is not None
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._group.create_task(_settle(work, outcome))
        return await outcome

    def reserve(self) -> bool:
        """Take a slot for a run that is being admitted, if one is free."""
        free = self._has_free_slot
        self._reserved += free
        return free

    def release(self) -> None:
        """Give a reserved slot back."""
        self._reserved -= 1

    def start(self, run: Run) -> None:
        """Begin a run in a slot reserved before."""
        assert self._group is not None
        self._reserved -= 1
        before = self._active.get(run.id)
        if before is not None:
            # This node lost the run, and is the one that takes it over.
            before.stop.ask(StopReason.LOST)
        work = Work(run, Stop(), asyncio.get_running_loop().time())
        if run.cancel_requested:
            work.stop.ask(StopReason.CANCELLED)
        # It may have been on its way when the others were asked to stop.
        if self._is_aside:
            work.stop.ask(StopReason.HANDED_OVER)
        elif self._hands_over:
            work.stop.border.ask()
        self._active[run.id] = work
        self._idle.clear()
        self._group.create_task(self._perform(work))

    def enqueued(self) -> None:
        """Hear that one more run waits."""
        self._wake.set()
        if not self._has_free_slot:
            self._signals.send(RunWaits())

    def stop(self, run_id: RunId) -> None:
        """End a run, on whichever node it is at work; its answer so far is kept."""
        work = self._active.get(run_id)
        if work is not None:
            work.stop.ask(StopReason.CANCELLED)
        else:
            self._signals.send(RunCancelled(run_id))

    def step_aside(self) -> None:
        """Give away what is at work, at once, and take nothing until `step_in`.

        What is admitted meanwhile is for the other nodes.
        """
        self._is_aside = True
        for work in tuple(self._active.values()):
            work.stop.ask(StopReason.HANDED_OVER)

    def step_in(self) -> None:
        """Take runs again."""
        self._is_aside = False
        self._wake.set()

    async def drain(self, seconds: float, *, hand_over: bool) -> None:
        """Take no more runs, and give those at work so long to finish.

        hand_over: another node goes on with what is not finished: stop where a step ends, and
            what is in the middle of one when the time is over.
        """
        self._is_draining = True
        self._hands_over = hand_over
        if hand_over:
            for work in self._active.values():
                work.stop.border.ask()
        if await self._is_idle_within(seconds) or not hand_over:
            return
        for work in tuple(self._active.values()):
            work.stop.ask(StopReason.HANDED_OVER)
        await self._is_idle_within(HAND_OVER_SECONDS)

    @property
    def _in_use(self) -> int:
        return len(self._active) + self._reserved

    @property
    def _is_away(self) -> bool:
        return self._is_draining or self._is_aside

    @property
    def _has_free_slot(self) -> bool:
        return not self._is_away and self._in_use < self._slots

    async def _is_idle_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._idle.wait()
        except TimeoutError:
            log.info("runner.left_runs", count=len(self._active))
            return False

    async def _perform(self, work: Work) -> None:
        run = work.run
        has_waiting = True
        try:
            has_waiting = await self._performer.perform(run, work.stop)
        except Exception:
            # A task's border: one run's bug may not end its neighbours.
            log.exception("run.lost", run_id=run.id)
        finally:
            if self._active.get(run.id) is work:
                del self._active[run.id]
            if not self._active:
                self._idle.set()
            # Where all slots were taken, any run may wait for this one.
            if has_waiting or self._in_use + 1 >= self._slots:
                self._wake.set()
            if self._is_away:
                self._signals.send(RunWaits())

    def _hear_leases(self, asked_at: float, held: Mapping[RunId, Held]) -> None:
        """End what is at work here and is another's by now, or shall be stopped."""
        for work in tuple(self._active.values()):
            mine = held.get(work.run.id)
            if mine is not None and mine.fence == work.run.fence:
                if mine.cancel_requested and work.stop.reason is None:
                    work.stop.ask(StopReason.CANCELLED)
            elif work.since < asked_at:
                work.stop.ask(StopReason.LOST)

    def _hear_signal(self, signal: Signal) -> None:
        match signal:
            case RunWaits():
                self._wake.set()
            case RunCancelled(run_id):
                work = self._active.get(run_id)
                if work is not None:
                    work.stop.ask(StopReason.CANCELLED)

    async def _wait(self) -> None:
        """Wait until there may be a run to take."""
        if self._scan_seconds is None:
            await self._wake.wait()
        else:
            pause = self._scan_seconds * random.uniform(1 - SCAN_JITTER, 1 + SCAN_JITTER)
            await _set_within(self._wake, pause)
        self._wake.clear()

    async def _claim_waiting(self) -> None:
        while self.reserve():
            try:
                run = await self._claim()
            except AppError as error:
                self.release()
                log.warning("runner.claim_failed", reason=error.message)
                await asyncio.sleep(RETRY_SECONDS)
                self._wake.set()
                return
            if run is None:
                self.release()
                return
            reach("after_claim")
            self.start(run)

    async def _claim(self) -> Run | None:
        run = await self._runs.claim()
        if run is None or not self._is_aside:
            return run
        # It was asked for before this node stepped aside, and may be one that was given away.
        await self._runs.release(run)
        return None


async def _settle(work: Coroutine[object, object, T], outcome: asyncio.Future[T]) -> None:
    """Do work and hand over what becomes of it: an error is its caller's, not the group's."""
    try:
        result = await work
    except Exception as error:
        if not outcome.done():
            outcome.set_exception(error)
    else:
        if not outcome.done():
            outcome.set_result(result)


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
