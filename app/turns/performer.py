"""Takes one run from its first event to its last."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import structlog

from app.agents.turn import TurnFacts
from app.graph.turn_graph import RunLost, StoppedAtBorder, TurnEnd, TurnGraph
from app.turns.briefing import Briefing
from app.turns.leftovers import Leftovers
from app.turns.stop import Stop, StopReason
from app.turns.stored_ending import stored_ending
from app.turns.transcriber import Transcriber
from core.budgets import NOTHING, Spent
from core.errors import AppError, DeadlineExceeded, Internal, StorageUnavailable
from core.failpoints import reach
from core.ids import MessageId
from core.ports.asks import AskBook
from core.ports.event_log import EventLog, TakenLog
from core.ports.meters import Meters
from core.ports.run_store import Ending, Finished, RunStore
from core.runs import Answer, Run, RunStatus

STORE_ATTEMPTS = 5
STORE_PAUSE_SECONDS = 0.2
# So long a run whose log can't be reached keeps what it said, to tell it when it can.
FLUSH_SECONDS = 120.0

log = structlog.get_logger(__name__)


class GivenUp(Exception):
    """This node does not go on with the run: another one has it, or shall have it."""


class Performer:
    """Performs runs; holds nothing of any of them.

    is_shared: whether log and database outlive this process: another node may go on with a run,
        and may have to tell how it ended.
    attempts: after so many, a run ends with an error instead of another try.
    """

    def __init__(
        self,
        graph: TurnGraph,
        runs: RunStore,
        asks: AskBook,
        briefing: Briefing,
        events: EventLog,
        meters: Meters,
        *,
        is_shared: bool,
        timeout_seconds: float,
        attempts: int,
    ) -> None:
        self._graph = graph
        self._runs = runs
        self._asks = asks
        self._briefing = briefing
        self._events = events
        self._meters = meters
        self._is_shared = is_shared
        self._timeout_seconds = timeout_seconds
        self._attempts = attempts

    async def perform(self, run: Run, stop: Stop) -> bool:
        """Say everything of the run, and keep it, whatever happens in it.

        Returns whether another run of the conversation waits. Cancelling (a process that stops)
        leaves the run as it is on disk: whoever looks next takes it over.
        """
        self._meters.run_started(is_takeover=run.attempt > 1)
        try:
            taken = await self._take(run, stop)
            if run.status.is_final:
                return await self._end_untold(run, stop, Leftovers(taken.said))
            return await self._answer(run, stop, taken)
        except GivenUp:
            log.info("run.given_up", run_id=run.id, attempt=run.attempt, reason=stop.reason)
            return False
        finally:
            self._events.leave(run)

    async def _take(self, run: Run, stop: Stop) -> TakenLog:
        try:
            taken = await self._events.take(run, lambda: stop.ask(StopReason.LOST))
        except StorageUnavailable:
            await self._release(run)
            raise GivenUp from None
        if taken.restarted_at is not None:
            self._meters.log_restarted()
            if not await self._runs.restart_log(run, taken.restarted_at):
                raise GivenUp
        reach("after_take")
        return taken

    async def _answer(self, run: Run, stop: Stop, taken: TakenLog) -> bool:
        started_at = asyncio.get_running_loop().time()
        # New for every attempt: what an attempt before it said is replaced, never continued.
        answer_id = MessageId(str(uuid4()))
        earlier = await self._briefing.earlier_calls(run)
        transcriber = Transcriber(self._events, run, answer_id, earlier)
        await self._begin(run, transcriber, taken)
        ending = await self._work(run, stop, transcriber)
        seconds = asyncio.get_running_loop().time() - started_at
        ending = replace(
            ending,
            late_results=transcriber.late_results,
            spent=self._briefing.to_keep(ending.spent + Spent(seconds=seconds)),
        )
        stop.done()
        reach("before_finish")
        finished = await self._keep(run, ending)
        reach("after_finish")
        if finished is None:
            # The conversation was deleted meanwhile, or another attempt has the run.
            self._meters.fenced()
            return False
        self._meters.run_ended(ending.status, seconds)
        transcriber.end(ending)
        return await self._tell(run, stop, finished)

    async def _begin(self, run: Run, transcriber: Transcriber, taken: TakenLog) -> None:
        if run.attempt == 1:
            transcriber.begin()
            return
        transcriber.resume(Leftovers(taken.said), await self._briefing.transcript(run))
        reach("during_snapshot")

    async def _end_untold(self, run: Run, stop: Stop, before: Leftovers) -> bool:
        messages = await self._briefing.transcript(run)
        transcriber = Transcriber(self._events, run, MessageId(str(uuid4())))
        ending = await stored_ending(run, self._asks)
        transcriber.end_untold(before, messages, ending)
        if not self._is_shared:
            # It was left by a node with a shared log; this one's begins anew.
            return await self._runs.tell(run, run.log)
        return await self._tell(run, stop, Finished(len(messages), has_waiting=False))

    async def _tell(self, run: Run, stop: Stop, finished: Finished) -> bool:
        """Wait until the last event is safe, and let the conversation go on."""
        if not self._is_shared:
            self._events.leave(run, finished.message_count)
            return finished.has_waiting
        await self._flush(run, stop)
        mark = self._events.leave(run, finished.message_count)
        reach("before_tell")
        has_waiting = mark is not None and await self._runs.tell(run, mark)
        reach("after_tell")
        return has_waiting

    async def _flush(self, run: Run, stop: Stop) -> None:
        try:
            async with stop.scope(FLUSH_SECONDS, heeds_cancel=False):
                is_safe = await self._events.flushed(run, FLUSH_SECONDS)
        except (KeyError, TimeoutError):
            is_safe = False
        stop.done()
        if not is_safe:
            # Whoever reaches the log first tells the end from what is stored.
            await self._release(run)
            raise GivenUp

    async def _work(self, run: Run, stop: Stop, transcriber: Transcriber) -> Ending:
        if run.failures >= self._attempts:
            return _failed(Internal("The answer failed several times and was given up."), None)
        facts: TurnFacts | None = None
        try:
            async with stop.scope(self._timeout_seconds):
                facts = await self._briefing.facts(run, transcriber)
                end = await self._graph.run(facts, stop.border)
                return await self._ended(run, transcriber, end)
        except TimeoutError:
            return _with_spent(await self._stopped(run, stop, transcriber), facts)
        except StoppedAtBorder:
            await self._release(run)
            raise GivenUp from None
        except RunLost:
            self._meters.fenced()
            raise GivenUp from None
        except AppError as error:
            if self._is_shared and isinstance(error, StorageUnavailable):
                # The database is away: when it is back, whoever finds the run goes on with it.
                raise GivenUp from error
            log.warning("run.failed", run_id=run.id, code=error.code)
            return _with_spent(_failed(error, transcriber.partial_answer()), facts)
        except Exception:
            # A turn's border: a bug in one agent ends this run and no other.
            log.exception("run.crashed", run_id=run.id)
            failed = _failed(Internal("Something went wrong here."), transcriber.partial_answer())
            return _with_spent(failed, facts)

    async def _ended(self, run: Run, transcriber: Transcriber, end: TurnEnd) -> Ending:
        if not end.awaiting:
            answer = transcriber.complete(end.answer) if end.answer else None
            return Ending(RunStatus.DONE, answer, spent=end.spent)
        by_call = await self._asks.of_run(run.root_id)
        # One that was answered this very moment is named too: the next run has the answer.
        asks = tuple(ask for asks in by_call.values() for ask in asks if ask.id in end.awaiting)
        answer = transcriber.partial_answer(end.usage)
        return Ending(RunStatus.INTERRUPTED, answer, asks=asks, spent=end.spent)

    async def _stopped(self, run: Run, stop: Stop, transcriber: Transcriber) -> Ending:
        match stop.reason:
            case StopReason.LOST:
                raise GivenUp
            case StopReason.HANDED_OVER:
                await self._release(run)
                raise GivenUp
            case StopReason.CANCELLED:
                return Ending(RunStatus.CANCELLED, transcriber.partial_answer())
            case None:
                late = DeadlineExceeded("The answer took too long.")
                return _failed(late, transcriber.partial_answer())

    async def _release(self, run: Run) -> None:
        try:
            await self._runs.release(run)
        except StorageUnavailable:
            # The lease runs out by itself.
            log.warning("run.not_released", run_id=run.id)
        reach("after_release")

    async def _keep(self, run: Run, ending: Ending) -> Finished | None:
        """Write the ending; a database that stumbles is given a few seconds."""
        is_told = not self._is_shared
        for attempt in range(STORE_ATTEMPTS):
            try:
                return await self._runs.finish(run, ending, is_told=is_told)
            except StorageUnavailable:
                log.exception("run.not_kept", run_id=run.id, attempt=attempt + 1)
                await asyncio.sleep(STORE_PAUSE_SECONDS * 2**attempt)
        return await self._runs.finish(run, ending, is_told=is_told)


def _failed(error: AppError, partial: Answer | None) -> Ending:
    return Ending(RunStatus.ERROR, partial, error.code, error.message)


def _with_spent(ending: Ending, facts: TurnFacts | None) -> Ending:
    """Add what the steps of a turn that did not reach its end have spent in this attempt."""
    return replace(ending, spent=sum(facts.spent_here, NOTHING)) if facts else ending
