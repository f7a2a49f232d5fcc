"""Decides which of a step's calls are made: pure rules, before anything is recorded or called."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from app.tools.calls import Answered, Call, CallFacts
from app.tools.permission import may_call, offered
from app.tools.services import ToolServices
from app.tools.tool import Tool
from app.tools.validation import InvalidArguments
from core.budgets import Spent
from core.ports.tool_ledger import CallKey
from core.tools import Ask, AskKind, Decision, Effect, Outcome, arguments_hash

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ready:
    """A call that may be made.

    arguments: what the tool's function takes. asks: what a person was asked about it.
    """

    call: Call
    tool: Tool
    arguments: object
    key: CallKey
    asks: Sequence[Ask]

    @property
    def decided(self) -> Ask | None:
        """The last question about the call that the person has answered."""
        return _decided(self.asks)

    @property
    def is_edited(self) -> bool:
        """Whether the arguments are the person's."""
        return any(ask.decision is Decision.EDITED for ask in self.asks)


class Refused(Exception):
    """A call is not made; the answer in its place."""

    def __init__(self, call: Call, outcome: Outcome, text: str) -> None:
        super().__init__(text)
        self.answered = Answered(call, outcome, text)


class Plan:
    """Takes a step's calls one after the other, each with what those before it will cost.

    asks: what was asked in this turn, by call id. expires_at: when a new question runs out.
    """

    def __init__(
        self,
        tools: Mapping[str, Tool],
        services: ToolServices,
        facts: CallFacts,
        asks: Mapping[str, Sequence[Ask]],
        expires_at: Callable[[], datetime],
    ) -> None:
        self._tools = tools
        self._services = services
        self._facts = facts
        self._asks = asks
        self._expires_at = expires_at
        self._spent = facts.spent

    def take(self, call: Call) -> Ready | Answered | Ask:
        """Return the call ready to be made, why it is not made, or what a person has to say."""
        try:
            tool = self._found(call)
            arguments = _parsed(tool, call)
            self._spend(call, tool)
            return self._permitted(call, tool, arguments)
        except Refused as refused:
            return replace(refused.answered, decided=_decided(self._asks.get(call.id, ())))

    def _found(self, call: Call) -> Tool:
        """Return the tool; one that the caller may not use looks like one that is not there."""
        tool, principal = self._tools.get(call.tool), self._facts.principal
        if tool is not None and self._services.has(tool.needs):
            if may_call(tool, principal, call.agent):
                return tool
            outcome = Outcome.REFUSED
        else:
            outcome = Outcome.INVALID
        there = offered(self._tools, self._services, principal, call.agent)
        names = ", ".join(tool.name for tool in there)
        known = f", only: {names}" if names else ", and no other"
        raise Refused(call, outcome, f"There is no tool “{call.tool}”{known}.")

    def _spend(self, call: Call, tool: Tool) -> None:
        budget, spent = self._facts.budget, self._spent + Spent(tool_calls=1, money=tool.cost)
        if budget.tool_calls is not None and spent.tool_calls > budget.tool_calls:
            text = f"{tool.name} was not called: no tool calls are left for it."
            raise Refused(call, Outcome.REFUSED, text)
        if budget.money is not None and tool.cost and spent.money > budget.money:
            text = f"{tool.name} was not called: it costs more money than is left."
            raise Refused(call, Outcome.REFUSED, text)
        self._spent = spent

    def _permitted(self, call: Call, tool: Tool, arguments: object) -> Ready | Ask:
        asks = self._asks.get(call.id, ())
        ready = Ready(call, tool, arguments, self._key(call, tool), asks)
        if not self._needs_approval(tool) or _asked(asks, AskKind.UNKNOWN_OUTCOME) is not None:
            # A call whose outcome is in question was begun: it had its approval then.
            return self._edited(ready)
        ask = _asked(asks, AskKind.APPROVAL)
        if ask is None:
            return new_ask(AskKind.APPROVAL, ready, self._expires_at())
        if (ask.tool, ask.arguments_hash) != (tool.name, ready.key.arguments_hash):
            text = "The person was asked about another call under this one's id: it was not made."
            raise Refused(call, Outcome.REFUSED, text)
        if ask.decision is None:
            return ask
        if ask.decision is Decision.REJECTED:
            said = f" They say: {ask.comment}" if ask.comment else ""
            text = f"The person said no to this call.{said}"
            raise Refused(call, Outcome.REFUSED, text)
        return self._edited(ready)

    def _edited(self, ready: Ready) -> Ready:
        """Return the call with the arguments that the person put in place of the model's."""
        ask = _asked(ready.asks, AskKind.APPROVAL)
        if ask is None or ask.decision is not Decision.EDITED or ask.edited is None:
            return ready
        call = replace(ready.call, arguments=ask.edited)
        arguments = _parsed(ready.tool, call)
        return replace(ready, call=call, arguments=arguments, key=self._key(call, ready.tool))

    def _needs_approval(self, tool: Tool) -> bool:
        is_write = tool.effect is not Effect.READ
        return tool.needs_approval or (self._facts.is_tainted and is_write)

    def _key(self, call: Call, tool: Tool) -> CallKey:
        facts = self._facts
        return CallKey(
            run_id=facts.run_id,
            fence=facts.fence,
            root_id=facts.root_id,
            conversation_id=facts.conversation_id,
            call_id=call.id,
            tool=tool.name,
            effect=tool.effect,
            arguments_hash=_hash(call),
        )


def new_ask(kind: AskKind, ready: Ready, expires_at: datetime) -> Ask:
    """Return a question about a call; it is on record nowhere yet."""
    return Ask(
        id=str(uuid.uuid4()),
        kind=kind,
        root_id=ready.key.root_id,
        conversation_id=ready.key.conversation_id,
        call_id=ready.call.id,
        tool=ready.tool.name,
        arguments=ready.call.arguments or "{}",
        arguments_hash=ready.key.arguments_hash,
        effect=ready.tool.effect,
        expires_at=expires_at,
    )


def _decided(asks: Sequence[Ask]) -> Ask | None:
    return next((ask for ask in reversed(asks) if ask.decision is not None), None)


def _asked(asks: Sequence[Ask], kind: AskKind) -> Ask | None:
    return next((ask for ask in reversed(asks) if ask.kind is kind), None)


def _parsed(tool: Tool, call: Call) -> object:
    try:
        return tool.parse(call.arguments)
    except InvalidArguments as error:
        text = f"{tool.name} cannot take these arguments. {error}."
        raise Refused(call, Outcome.INVALID, text) from None
    except Exception:
        # A validator of a tool may be anything; its bug is neither the turn's end nor the others'.
        log.exception("tool.arguments_failed", tool=tool.name)
        text = f"{tool.name} failed through a fault of this server."
        raise Refused(call, Outcome.FAILED, text) from None


def _hash(call: Call) -> str:
    try:
        return arguments_hash(call.arguments)
    except (ValueError, RecursionError):
        text = f"{call.tool} cannot take these arguments. arguments: that is no JSON."
        raise Refused(call, Outcome.INVALID, text) from None
