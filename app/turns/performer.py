"""Takes one run from its first event to its last."""

import asyncio
from uuid import uuid4

import structlog

from app.agents.turn import TurnFacts
from app.graph.turn_graph import TurnGraph
from app.turns.stop import Stop
from app.turns.transcriber import Transcriber
from core.clock import Clock
from core.conversations import Message
from core.errors import AppError, DeadlineExceeded, Internal, StorageUnavailable
from core.ids import MessageId
from core.ports.conversation_store import ConversationStore
from core.ports.event_log import EventLog
from core.ports.run_store import Ending, RunStore
from core.runs import Answer, Run, RunStatus

STORE_ATTEMPTS = 5
STORE_PAUSE_SECONDS = 0.2

log = structlog.get_logger(__name__)


class Performer:
    """Performs runs; holds nothing of any of them.

    history_messages: how many messages before the question the agents see.
    attempts: after so many, a run ends with an error instead of another try.
    """

    def __init__(
        self,
        graph: TurnGraph,
        runs: RunStore,
        conversations: ConversationStore,
        events: EventLog,
        clock: Clock,
        *,
        timeout_seconds: float,
        history_messages: int,
        attempts: int,
    ) -> None:
        self._graph = graph
        self._runs = runs
        self._conversations = conversations
        self._events = events
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._history_messages = history_messages
        self._attempts = attempts

    async def perform(self, run: Run, stop: Stop) -> None:
        """Say everything of the run, and keep it, whatever happens in it.

        Cancelling (a process that stops) leaves the run as it is on disk: the next process
        takes it over.
        """
        await self._events.open(run.conversation_id, run.messages_before)
        # New for every attempt: what an attempt before it said is replaced, never continued.
        transcriber = Transcriber(self._events, run, MessageId(str(uuid4())))
        transcriber.begin(self._resumed_after(run))
        ending = await self._work(run, stop, transcriber)
        stop.done()
        count = await self._keep(run, ending)
        if count is None:
            # The conversation was deleted meanwhile: nobody is left to tell.
            return
        transcriber.end(ending)
        self._events.settle(run.conversation_id, count)

    def _resumed_after(self, run: Run) -> float | None:
        if run.attempt <= 1:
            return None
        return (self._clock.now() - run.created_at).total_seconds()

    async def _work(self, run: Run, stop: Stop, transcriber: Transcriber) -> Ending:
        if run.attempt > self._attempts:
            return _failed(Internal("The answer failed several times and was given up."), None)
        try:
            async with stop.scope(self._timeout_seconds):
                answer = await self._graph.run(await self._facts(run, transcriber))
            return Ending(RunStatus.DONE, transcriber.complete(answer))
        except TimeoutError:
            partial = transcriber.partial_answer()
            if stop.asked:
                return Ending(RunStatus.CANCELLED, partial)
            return _failed(DeadlineExceeded("The answer took too long."), partial)
        except AppError as error:
            log.warning("run.failed", run_id=run.id, code=error.code)
            return _failed(error, transcriber.partial_answer())
        except Exception:
            # A turn's border: a bug in one agent ends this run and no other.
            log.exception("run.crashed", run_id=run.id)
            return _failed(Internal("Something went wrong here."), transcriber.partial_answer())

    async def _facts(self, run: Run, transcriber: Transcriber) -> TurnFacts:
        return TurnFacts(
            run_id=run.id,
            conversation_id=run.conversation_id,
            principal=run.principal,
            question=run.message.content,
            history=await self._history(run),
            collection=run.collection,
            answer_id=transcriber.answer_id,
            sink=transcriber,
        )

    async def _history(self, run: Run) -> tuple[Message, ...]:
        last = run.message_position - 1
        if last == 0 or self._history_messages == 0:
            return ()
        messages = await self._conversations.messages(
            run.principal,
            run.conversation_id,
            after=max(0, last - self._history_messages),
            until=last,
        )
        return tuple(messages)

    async def _keep(self, run: Run, ending: Ending) -> int | None:
        """Write the ending; a database that stumbles is given a second or two."""
        for attempt in range(STORE_ATTEMPTS):
            try:
                return await self._runs.finish(run, ending)
            except StorageUnavailable:
                log.exception("run.not_kept", run_id=run.id, attempt=attempt + 1)
                await asyncio.sleep(STORE_PAUSE_SECONDS * 2**attempt)
        return await self._runs.finish(run, ending)


def _failed(error: AppError, partial: Answer | None) -> Ending:
    return Ending(RunStatus.ERROR, partial, error.code, error.message)
