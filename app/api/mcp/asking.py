"""Answers one question by a whole turn, as any other front door does."""

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from app.api.mcp.words import Question, Reply, Waiting, sources
from app.turns.conversations import Conversations
from app.turns.following import Follower
from app.turns.run_input import read_run_input
from app.turns.turns import Turns
from core.conversations import Message, Role
from core.errors import AppError, NotFound
from core.events import Interrupt, UserMessage
from core.ids import ConversationId, RunId
from core.principal import Principal
from core.runs import OnBusy, RunRequest

TICK_SECONDS: Final = 10.0
"""How often the client is told that its turn is still at work."""

# The answer is among the last messages, unless others have talked on meanwhile.
_RECENT: Final = 50


class TurnFailed(AppError):
    """The turn ended without an answer; the message is the run's."""


class _Outcome(BaseModel):
    model_config = ConfigDict(extra="ignore")

    type: str = "success"
    interrupts: list[Interrupt] = []


class _LastEvent(BaseModel):
    """A run's last event: `RUN_FINISHED` has an outcome, `RUN_ERROR` a message."""

    model_config = ConfigDict(extra="ignore")

    type: str
    outcome: _Outcome | None = Field(default=None)
    message: str = ""


class Asking:
    """Runs turns for callers that wait for the whole answer."""

    def __init__(self, turns: Turns, follower: Follower, conversations: Conversations) -> None:
        self._turns = turns
        self._follower = follower
        self._conversations = conversations

    async def ask(
        self, principal: Principal, question: Question, tick: Callable[[], Awaitable[None]]
    ) -> Reply:
        """Return the answer when the turn is over; `tick` is awaited while it goes on.

        A turn goes on where its caller is cancelled: the answer is in the conversation. Raises
        what `Turns.submit` does, and `TurnFailed`.
        """
        request = _request(principal, question)
        last = _LastEvent.model_validate_json(await self._last_event(request, tick))
        outcome = last.outcome or _Outcome()
        if last.type == "RUN_ERROR":
            raise TurnFailed(last.message or "The turn failed.")
        if outcome.type == "cancelled":
            raise TurnFailed("The turn was stopped.")
        message = await self._answer(request)
        waiting = [Waiting.of(interrupt) for interrupt in outcome.interrupts]
        return Reply(
            status="needs_person" if waiting else "answered",
            answer=message.content if message else "",
            citations=sources(message.citations if message else ()),
            conversation_id=request.conversation_id,
            waiting=waiting,
        )

    async def _last_event(self, request: RunRequest, tick: Callable[[], Awaitable[None]]) -> str:
        principal, conversation_id = request.principal, request.conversation_id
        head = await self._follower.head(principal, conversation_id)
        await self._turns.submit(request)
        following = await self._follower.open(principal, conversation_id, head)
        last = None
        async for event in following.events_of(request.run_id, TICK_SECONDS):
            if event is not None and event.ends_run:
                last = event.event
            elif event is None:
                await tick()
        if last is None:
            raise NotFound("The conversation is not there any more.")
        return last

    async def _answer(self, request: RunRequest) -> Message | None:
        principal, conversation_id = request.principal, request.conversation_id
        conversation = await self._conversations.get(principal, conversation_id)
        after = max(0, conversation.message_count - _RECENT)
        messages = await self._conversations.messages(principal, conversation_id, after, _RECENT)
        said = (one for one in messages if one.role is Role.ASSISTANT)
        return next((one for one in said if one.run_id == request.run_id), None)


def _request(principal: Principal, question: Question) -> RunRequest:
    return read_run_input(
        RunId(str(uuid4())),
        ConversationId(question.conversation_id or str(uuid4())),
        [UserMessage(id=str(uuid4()), content=question.question)],
        {"collection": question.collection},
        principal,
        # A client of MCP does not see that somebody else is talking there.
        on_busy=OnBusy.QUEUE,
    )
