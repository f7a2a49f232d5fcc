"""Gathers what the agents are told of a run: its history, and what it may use up."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from app.agents.budget_words import name_of
from app.agents.turn import Allowance, TurnFacts
from app.turns.transcriber import Transcriber
from core.budgets import NO_LIMIT, NOTHING, Budget, Spent, exhausted
from core.conversations import Message, ToolCall
from core.errors import QuotaExceeded
from core.ports.conversation_store import ConversationStore
from core.ports.spending import Spending
from core.principal import Principal
from core.runs import Run


@dataclass(frozen=True, slots=True)
class Budgets:
    """What one run, a person in a day and a tenant in a day may use up; None: no end."""

    run: Budget = NO_LIMIT
    user_day: Budget | None = None
    tenant_day: Budget | None = None


class Briefing:
    """Says what a run is about.

    history_messages: how many messages before the question the agents see.
    """

    def __init__(
        self,
        conversations: ConversationStore,
        spending: Spending,
        budgets: Budgets,
        history_messages: int,
    ) -> None:
        self._conversations = conversations
        self._spending = spending
        self._budgets = budgets
        self._history_messages = history_messages

    async def facts(self, run: Run, transcriber: Transcriber) -> TurnFacts:
        """Return the facts of an attempt that begins now.

        Raises `QuotaExceeded` where the person or the tenant has nothing left for today.
        """
        return TurnFacts(
            run_id=run.id,
            conversation_id=run.conversation_id,
            principal=run.principal,
            question=run.message.content,
            history=await self._history(run),
            collection=run.collection,
            answer_id=transcriber.answer_id,
            sink=transcriber,
            root_id=run.root_id,
            fence=run.fence,
            allowances=await self._allowances(run.principal),
            started_at=asyncio.get_running_loop().time(),
        )

    def to_keep(self, spent: Spent) -> Spent:
        """Return what has to be added to the day's account; nothing where there is no such budget.

        It is one row a person and day, which all their runs would wait for at their ends.
        """
        return spent if self._counts_days else NOTHING

    async def earlier_calls(self, run: Run) -> Mapping[str, ToolCall]:
        """Return the calls that the runs which this one continues have in their messages."""
        if not run.is_continued:
            return {}
        messages = await self._conversations.messages(
            run.principal, run.conversation_id, after=run.message_position
        )
        return {call.id: call for message in messages for call in message.tool_calls}

    async def transcript(self, run: Run) -> tuple[Message, ...]:
        """Return all messages of the run's conversation as they are stored."""
        messages = await self._conversations.messages(run.principal, run.conversation_id)
        return tuple(messages)

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

    @property
    def _counts_days(self) -> bool:
        return self._budgets.user_day is not None or self._budgets.tenant_day is not None

    async def _allowances(self, principal: Principal) -> tuple[Allowance, ...]:
        budgets = self._budgets
        run = Allowance("run", budgets.run)
        if not self._counts_days:
            return (run,)
        today = await self._spending.today(principal)
        days = (
            Allowance("user", budgets.user_day or NO_LIMIT, today.user),
            Allowance("tenant", budgets.tenant_day or NO_LIMIT, today.tenant),
        )
        for day in days:
            if (limit := exhausted(day.whose, day.budget, day.before)) is not None:
                raise QuotaExceeded(f"{name_of(limit).capitalize()} is used up.")
        return (run, *days)
