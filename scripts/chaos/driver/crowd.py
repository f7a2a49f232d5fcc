"""People who talk without end: conversations with a second tab, and a reload when they end."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from scripts.chaos.driver.addresses import Addresses
from scripts.chaos.driver.client import Client
from scripts.chaos.driver.errands import ErrandKind, answers_to, errand
from scripts.chaos.driver.talk import Ask
from scripts.chaos.history import HistoryWriter

_QUESTIONS = (
    "Hello there!",
    "Tell me about the sea.",
    "What is 17 * 23?",
    "What is 12.5% of 480, and what time is it in Tokyo?",
)


@dataclass(frozen=True, slots=True)
class Habits:
    """How the people talk.

    conversations: at a time. runs: in one conversation, before the next begins.
    tokens, rate: of an answer, a second. words: what the scripted model says (its `voice` or
        `stamp`). cancels: share of the runs that are stopped on the way. hurries: share of those
        during which the next question is asked.
    errands: kinds of tasks that tools are to do; none: nothing but words is asked for.
    tabs: whether every conversation is open a second time.
    ask_seconds: after so long without an end, a run is given up (and the checker will say so).
    """

    conversations: int = 8
    runs: int = 5
    tokens: int = 120
    rate: float = 30.0
    words: str = "voice=1"
    cancels: float = 0.05
    hurries: float = 0.05
    errands: Sequence[ErrandKind] = ()
    tabs: bool = True
    ask_seconds: float = 120.0
    settle_seconds: float = 60.0


@dataclass(slots=True)
class Circle:
    """One conversation: the person who asks, and all who have it open."""

    person: Client
    group: asyncio.TaskGroup
    others: list[Client] = field(default_factory=list)
    stays: "list[asyncio.Task[None]]" = field(default_factory=list)

    def add(self, client: Client) -> None:
        """Let a client come in, until the conversation's end."""
        self.others.append(client)
        self.stays.append(self.group.create_task(client.run()))


@dataclass(slots=True)
class Crowd:
    """Owns the clients of a history.

    late: what did not come in time, in words.
    asking: the runs that are being answered now, by their ids.
    circles: the conversations that go on now.
    """

    addresses: Addresses
    history: HistoryWriter
    habits: Habits
    chance: random.Random
    late: list[str] = field(default_factory=list)
    asking: dict[str, Client] = field(default_factory=dict)
    circles: list[Circle] = field(default_factory=list)
    _is_stopping: bool = False
    _names: "count[int]" = field(default_factory=lambda: count(1))

    async def talk(self) -> None:
        """Talk until `stop`, and then to the end of what was asked."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.habits.conversations):
                group.create_task(self._person())

    def stop(self) -> None:
        """Ask nothing more."""
        self._is_stopping = True

    def client(self, kind: str, conversation_id: str | None = None) -> Client:
        """Return a client that is not connected yet."""
        name = f"{kind}-{next(self._names)}"
        return Client(name, self.addresses, self.history, self.chance, conversation_id)

    async def _person(self) -> None:
        # Not all at once.
        await asyncio.sleep(self.chance.random())
        while not self._is_stopping:
            await self._conversation()

    async def _conversation(self) -> None:
        async with asyncio.TaskGroup() as group:
            circle = Circle(self.client("person"), group)
            circle.stays.append(group.create_task(circle.person.run()))
            for number in range(self.habits.runs):
                if self._is_stopping:
                    break
                await self._turn(circle.person)
                if number == 0 and circle.person.talk.exists:
                    self._open_up(circle)
            await self._settle(circle)
            for task in circle.stays:
                task.cancel()

    def _open_up(self, circle: Circle) -> None:
        self.circles.append(circle)
        if self.habits.tabs:
            circle.add(self.client("tab", circle.person.talk.conversation_id))

    async def _turn(self, person: Client) -> None:
        habits = self.habits
        script = f"tokens={habits.tokens} rate={habits.rate} {habits.words}"
        on_busy = self.chance.choice(("reject", "queue"))
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(self._ask(person, self._question(script), on_busy))
            if self.chance.random() < habits.cancels:
                group.create_task(self._cancel(person, asking))
            if person.talk.exists and self.chance.random() < habits.hurries:
                on_busy = self.chance.choice(("reject", "queue", "interrupt"))
                group.create_task(self._ask(person, self._question(script), on_busy))
        await asyncio.sleep(0.3 * self.chance.random())

    def _question(self, script: str) -> str:
        if self.habits.errands:
            return errand(self.habits.errands, script, self.chance)
        return f"{self.chance.choice(_QUESTIONS)} [[{script}]]"

    async def _ask(self, person: Client, text: str, on_busy: str) -> None:
        ask = person.prepare(text, on_busy)
        await self._see_through(person, ask)
        while ask.interrupts:
            ask = person.prepare_answers(answers_to(ask.interrupts, self.chance))
            await self._see_through(person, ask)

    async def _see_through(self, person: Client, ask: Ask) -> None:
        self.asking[ask.run_id] = person
        try:
            await person.ask(ask, self.habits.ask_seconds)
        finally:
            del self.asking[ask.run_id]
        if not ask.has_ended:
            self.late.append(f"{person.name}: run {ask.run_id} has not ended ({ask.refusal})")

    async def _cancel(self, person: Client, asking: "asyncio.Task[None]") -> None:
        await asyncio.sleep(self.chance.random() * self.habits.tokens / self.habits.rate)
        running = [run_id for run_id, client in self.asking.items() if client is person]
        if running and not asking.done():
            await person.cancel(running[0])

    async def _settle(self, circle: Circle) -> None:
        """See that every client of the conversation has all of it, one that reloads included."""
        if circle in self.circles:
            self.circles.remove(circle)
        person = circle.person
        if not person.talk.exists:
            return
        circle.add(self.client("reload", person.talk.conversation_id))
        for client in circle.others:
            if not await client.until(partial(_has_as_much, client, person), self._patience):
                self.late.append(f"{client.name} has not all of {person.talk.conversation_id}")

    @property
    def _patience(self) -> float:
        return self.habits.settle_seconds


def _has_as_much(client: Client, person: Client) -> bool:
    one, other = client.talk, person.talk
    return one.has_all and (one.epoch, one.sequence) == (other.epoch, other.sequence)
