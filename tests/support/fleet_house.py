"""Several nodes of the floor of turns, over a real Postgres and a real Redis, in one process."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from app.graph.checkpoints import postgres_checkpoints
from app.graph.turn_graph import TurnGraph
from app.infra.redis.channels import ControlChannel
from app.infra.redis.connection import connect
from app.infra.redis.log.event_log import RedisEventLog
from app.infra.redis.log.pulse import RedisPulse
from app.infra.redis.log.servers import Servers
from app.infra.redis.signals import RedisSignals
from app.infra.sql.conversation_store import SqlConversationStore
from app.infra.sql.engine import Database
from app.infra.sql.leases import PostgresLeases
from app.infra.sql.neighbours import PostgresNeighbours
from app.infra.sql.run_store import SqlRunStore
from app.infra.sql.tools.asks import SqlAsks
from app.infra.sql.tools.spending import SqlSpending
from app.turns.briefing import Briefing, Budgets
from app.turns.isolation import Isolation
from app.turns.performer import Performer
from app.turns.reading import Reading, Readings
from app.turns.runner import Runner
from app.turns.turns import Turns
from core.clock import SystemClock
from core.ids import ConversationId
from core.ports.meters import NoMeters
from core.ports.run_store import AdmissionLimits
from core.principal import LOCAL
from tests.support.fold import Shown, fold
from tests.support.turns_house import Act, C, ScriptedAgent, straight_to_the_writer

LEASE_SECONDS = 1.0
BEAT_SECONDS = LEASE_SECONDS / 4
WAIT_SECONDS = 20


class Listener:
    """Somebody who reads a conversation on one node, and keeps every event with its number."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.sequences: list[int] = []
        self.epochs: list[str] = []
        self._woken = asyncio.Event()
        self._reading: Reading | None = None

    async def open(self, readings: Readings, conversation_id: ConversationId) -> None:
        """Begin to listen, from the first event."""
        self._reading = await readings.open(LOCAL, conversation_id, None, self._woken.set)

    @property
    def shown(self) -> Shown:
        """What a client shows now."""
        return fold(self.events)

    async def until(self, kind: str) -> None:
        """Listen until an event of this type has come."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not any(f'"type":"{kind}"' in event for event in self.events):
                await self.more()

    async def more(self) -> None:
        """Take what is there, or wait for what comes."""
        self._woken.clear()
        if not await self._take():
            await self._woken.wait()

    async def _take(self) -> bool:
        assert self._reading is not None
        try:
            batch = self._reading.take(10_000)
        except LookupError:
            await self._reading.renew()
            return True
        if batch is None:
            return False
        self.events += batch.events
        self.sequences += range(batch.sequence, batch.sequence + len(batch.events))
        self.epochs.append(batch.epoch)
        return True


@dataclass
class FleetNode:
    """One node of the floor of turns."""

    name: str
    turns: Turns
    runner: Runner
    runs: SqlRunStore
    store: SqlConversationStore
    log: RedisEventLog
    pulse: RedisPulse
    readings: Readings
    agents: dict[str, ScriptedAgent]

    async def listen(self, conversation_id: ConversationId = C) -> Listener:
        """Return a listener on this node."""
        listener = Listener()
        await listener.open(self.readings, conversation_id)
        return listener

    async def stored(self) -> list[tuple[str, str, str]]:
        """Return the transcript as `Shown.messages` has it."""
        messages = await self.store.messages(LOCAL, C)
        return [(message.id, message.role, message.content) for message in messages]


@asynccontextmanager
async def fleet_node(
    name: str,
    postgres_url: str,
    redis_url: str,
    write: Act,
    *,
    agents: Mapping[str, Act] | None = None,
    slots: int = 8,
) -> AsyncIterator[FleetNode]:
    """Give a node whose writer does `write`. Leaving it is a crash: nothing is given away."""
    known = {"coordinator": straight_to_the_writer, **(agents or {}), "writer": write}
    scripted = {agent: ScriptedAgent(agent, act) for agent, act in known.items()}
    database = Database.postgres(postgres_url, 5)
    client = connect(redis_url)
    channel = ControlChannel(client, name)
    log = RedisEventLog(redis_url, node=name, conversation_bytes=1_000_000, total_bytes=10_000_000)
    try:
        async with TurnGraph(scripted, partial(postgres_checkpoints, postgres_url, 5)) as graph:
            clock = SystemClock()
            runs = SqlRunStore(database, clock, name, LEASE_SECONDS)
            store = SqlConversationStore(database)
            briefing = Briefing(store, SqlSpending(database, clock), Budgets(), 20)
            performer = Performer(
                graph,
                runs,
                SqlAsks(database, clock, name),
                briefing,
                log,
                NoMeters(),
                is_shared=True,
                timeout_seconds=30,
                attempts=3,
            )
            neighbours = PostgresNeighbours(name, BEAT_SECONDS)
            leases = PostgresLeases(
                postgres_url, name, LEASE_SECONDS, BEAT_SECONDS, neighbours.meet
            )
            pulse = RedisPulse(
                Servers(redis_url, is_cluster=False, name=name), lambda: log.unanswered_since
            )
            runner = Runner(
                performer, runs, leases, RedisSignals(channel), slots=slots, scan_seconds=0.1
            )
            isolation = Isolation(pulse, neighbours)

            async def step_aside() -> None:
                runner.step_aside()

            async with asyncio.TaskGroup() as group:
                ready = asyncio.Event()
                tasks = [
                    group.create_task(work)
                    for work in (
                        log.run(),
                        channel.run(),
                        runner.serve(ready),
                        pulse.run(),
                        isolation.run(step_aside, runner.step_in),
                    )
                ]
                await ready.wait()
                yield FleetNode(
                    name,
                    Turns(runs, runner, AdmissionLimits(10, 5)),
                    runner,
                    runs,
                    store,
                    log,
                    pulse,
                    Readings(log, store),
                    scripted,
                )
                for task in tasks:
                    task.cancel()
    finally:
        await client.aclose()
        await database.close()
