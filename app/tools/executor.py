"""Makes a step's tool calls, side by side, each recorded before and after."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from app.tools.attempt import RETRY_SECONDS, Attempts
from app.tools.calls import Answered, Call, CallFacts
from app.tools.permission import offered
from app.tools.planning import Plan, Ready, new_ask
from app.tools.recall import Next, decided, recalled
from app.tools.result import Result, encoded
from app.tools.services import ToolServices
from app.tools.tool import Tool, ToolContext
from core.failpoints import reach
from core.ports.asks import Asks
from core.ports.breakers import Breakers
from core.ports.chat_model import ToolOffer
from core.ports.tool_ledger import RecordStatus, ToolLedger
from core.principal import Principal
from core.tools import Ask, AskKind, Effect, Outcome

__all__ = ["Answered", "Call", "CallFacts", "Executor"]

EDITED: Final = "The person had this called with other arguments than were asked for."

ASK_SECONDS: Final = 24 * 3600.0
"""How long a question waits for the person."""


class Executor:
    """Offers tools to models, and makes the calls that were decided on.

    tools: read anew for each step, so it may be a mapping that changes.
    retry_seconds: the longest pause before the first repetition of a call.
    """

    def __init__(
        self,
        tools: Mapping[str, Tool],
        breakers: Breakers,
        ledger: ToolLedger,
        asks: Asks,
        services: ToolServices,
        *,
        ask_seconds: float = ASK_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._tools = tools
        self._ledger = ledger
        self._asks = asks
        self._services = services
        self._ask_seconds = ask_seconds
        self._attempts = Attempts(breakers, retry_seconds=retry_seconds)

    def offers(self, principal: Principal, agent: str) -> list[ToolOffer]:
        """Return what a model that works as `agent` for `principal` may ask for, by name."""
        return [
            ToolOffer(tool.name, tool.description, tool.schema)
            for tool in offered(self._tools, self._services, principal, agent)
        ]

    async def run(
        self,
        calls: Sequence[Call],
        facts: CallFacts,
        told: Callable[[Answered], None],
    ) -> list[Answered | Ask]:
        """Return what became of each call, in the order of the calls.

        An `Ask` stands for a call that waits for the person: it was not made (`APPROVAL`), or
        nobody knows whether it was (`UNKNOWN_OUTCOME`); it is on record. told: called once for
        each answer as soon as it is there; it must not block. A call that failed is an answer.

        Raises `CallFenced` where another attempt has the run, `StorageUnavailable`, and an
        `Internal` that a tool raised; then the other calls are cancelled. Cancelling reaches
        every tool.
        """
        tools = dict(self._tools)
        asked = await self._asked(calls, tools, facts)
        plan = Plan(tools, self._services, facts, asked, self._expiry)
        planned = await self._put([plan.take(call) for call in calls], facts)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._came_to(one, facts, told)) for one in planned]
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        return [task.result() for task in tasks]

    async def _asked(
        self, calls: Sequence[Call], tools: Mapping[str, Tool], facts: CallFacts
    ) -> Mapping[str, Sequence[Ask]]:
        """Return what was asked in this turn, where one of these calls may be a thing to ask."""
        called = (tools[call.tool] for call in calls if call.tool in tools)
        if any(tool.needs_approval or tool.effect is not Effect.READ for tool in called):
            return await self._asks.of_run(facts.root_id)
        return {}

    async def _put(
        self, planned: Sequence[Ready | Answered | Ask], facts: CallFacts
    ) -> list[Ready | Answered | Ask]:
        """Put the questions on record, all at once, and return them as they are there."""
        asks = [one for one in planned if isinstance(one, Ask)]
        if not asks:
            return list(planned)
        put = iter(await self._asks.ask(facts.run_id, facts.fence, asks))
        return [next(put) if isinstance(one, Ask) else one for one in planned]

    async def _came_to(
        self, planned: Ready | Answered | Ask, facts: CallFacts, told: Callable[[Answered], None]
    ) -> Answered | Ask:
        came = await self._made(planned, facts) if isinstance(planned, Ready) else planned
        if isinstance(came, Answered):
            told(came)
        return came

    async def _made(self, ready: Ready, facts: CallFacts) -> Answered | Ask:
        """Return what a call came to, in this attempt or in one before it."""
        record = await self._ledger.begin(ready.key)
        if not record.is_new:
            known = recalled(record, ready.key.arguments_hash, ready.tool.effect)
            if isinstance(known, Result):
                return _answered(ready, known)
            if known is Next.ASK:
                ask = await self._ask_what_happened(ready, facts)
                known = decided(ask)
                if known is Next.ASK:
                    return ask
            if isinstance(known, Result):
                return replace(await self._ended(ready, known), decided=ask)
            await self._ledger.begin_again(ready.key)
        result = await self._attempts.make(ready.tool, ready.arguments, self._context(ready, facts))
        reach("after_effect")
        if result.outcome is Outcome.UNKNOWN and not ready.tool.effect.is_repeatable:
            await self._ledger.end(ready.key, RecordStatus.UNKNOWN, "")
            return await self._ask_what_happened(ready, facts)
        return await self._ended(ready, result)

    async def _ended(self, ready: Ready, result: Result) -> Answered:
        await self._ledger.end(ready.key, result.status, encoded(result))
        return _answered(ready, result)

    async def _ask_what_happened(self, ready: Ready, facts: CallFacts) -> Ask:
        """Return what the person is asked of a write, and their answer if it is for this one.

        A write that they had repeated is asked about anew: their word was for the first.
        """
        ask = new_ask(AskKind.UNKNOWN_OUTCOME, ready, self._expiry())
        return (await self._asks.ask(facts.run_id, facts.fence, [ask]))[0]

    def _context(self, ready: Ready, facts: CallFacts) -> ToolContext:
        return ToolContext(
            principal=facts.principal,
            run_id=facts.run_id,
            conversation_id=facts.conversation_id,
            collection=facts.collection,
            call_id=ready.call.id,
            idempotency_key=ready.call.id,
            is_tainted=facts.is_tainted,
            services=self._services,
        )

    def _expiry(self) -> datetime:
        return self._services.clock.now() + timedelta(seconds=self._ask_seconds)


def _answered(ready: Ready, result: Result) -> Answered:
    return Answered(
        call=ready.call,
        outcome=result.outcome,
        text=f"{EDITED} {result.text}" if ready.is_edited else result.text,
        parts=result.parts,
        is_made=result.is_made,
        cost=ready.tool.cost if result.is_made else 0.0,
        is_outside=ready.tool.is_outside and result.is_made,
        decided=ready.decided,
        circuit=result.circuit,
        retry_after_seconds=result.retry_after_seconds,
    )


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that began it, without the group around it."""
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
