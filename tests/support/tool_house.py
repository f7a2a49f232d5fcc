"""An executor with everything around it in memory, and tools made on the spot."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from app.infra.memory.circuits import MemoryCircuits
from app.infra.resilience.breakers import PyBreakers
from app.tools.calls import Answered, Call, CallFacts
from app.tools.executor import Executor
from app.tools.services import ToolServices
from app.tools.tool import Tool, ToolArguments, ToolContext, tool
from core.ids import ConversationId
from core.principal import LOCAL, USER
from core.runs import Run
from core.tools import Ask, Decision, Effect
from tests.support.memory_tools import MemoryAsks, MemoryAttempts, MemoryNotes, MemoryToolLedger

RUN = "run-1"


class StoppedClock:
    """See `Clock`. It is the same moment until somebody moves it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)

    def now(self) -> datetime:
        """See `Clock`."""
        return self.moment


class Word(ToolArguments):
    """One word."""

    word: str = "x"


ToolBody = Callable[[Word, ToolContext], object]


def made(name: str, body: ToolBody, **fields: Any) -> Tool:
    """Return a tool of a function that takes a word; a read of nothing outside if not said."""
    given = {"effect": Effect.READ, "roles": {USER}, "circuit": None, **fields}
    return tool(name=name, description="For tests.", **given)(body)


def call(name: str, number: int = 1, arguments: str = "{}", *, agent: str = "writer") -> Call:
    """Return a call of a tool."""
    return Call(f"c{number}", name, arguments, agent)


@dataclass
class ToolHouse:
    """An executor, its run, and what it told."""

    executor: Executor
    attempts: MemoryAttempts
    ledger: MemoryToolLedger
    asks: MemoryAsks
    breakers: PyBreakers
    clock: StoppedClock
    present: Run
    told: list[Answered]

    async def run(self, *calls: Call, **facts: Any) -> list[Answered | Ask]:
        """Make the calls in the present attempt."""
        return await self.executor.run(calls, self.facts(**facts), self.told.append)

    async def answer(self, *calls: Call, **facts: Any) -> Answered:
        """Return what the first call came to, where it is an answer."""
        came = (await self.run(*calls, **facts))[0]
        assert isinstance(came, Answered), came
        return came

    async def question(self, *calls: Call, **facts: Any) -> Ask:
        """Return what the person is asked instead of the first call."""
        came = (await self.run(*calls, **facts))[0]
        assert isinstance(came, Ask), came
        return came

    async def crash(self) -> None:
        """Go on as the next attempt, as if the one before was lost."""
        self.present = await self.attempts.take_over(self.present)

    async def go_on(self, ask: Ask, decision: Decision, **said: Any) -> None:
        """Answer a question and go on in a run that continues."""
        self.asks.decide(ask.id, decision, **said)
        root = self.present.root_id
        self.present = replace(await self.attempts.begin(f"{self.present.id}+"), root_id=root)

    def facts(self, **more: Any) -> CallFacts:
        """Return the present attempt's facts."""
        given = {
            "run_id": self.present.id,
            "root_id": self.present.root_id,
            "conversation_id": ConversationId("c"),
            "fence": self.present.fence,
            "principal": LOCAL,
            "collection": "default",
            **more,
        }
        return CallFacts(**given)


async def tool_house(
    *tools: Tool, services: ToolServices | None = None, **executor: Any
) -> ToolHouse:
    """Return a house with these tools, at the first attempt at a run."""
    attempts, clock = MemoryAttempts(), StoppedClock()
    ledger = MemoryToolLedger(attempts)
    asks = MemoryAsks(attempts, ledger, clock)
    breakers = PyBreakers(MemoryCircuits(), failures=5, open_seconds=30)
    given = services or ToolServices(clock, notes=MemoryNotes(clock))
    named = {tool.name: tool for tool in tools}
    built = Executor(named, breakers, ledger, asks, given, **{"retry_seconds": 0.0, **executor})
    run = await attempts.begin(RUN)
    return ToolHouse(built, attempts, ledger, asks, breakers, clock, run, [])
