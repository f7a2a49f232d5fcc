"""An executor with its real record in a database, to be evaluated."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import uuid4

from app.infra.memory.circuits import MemoryCircuits
from app.infra.resilience.breakers import PyBreakers
from app.infra.sql.engine import Database
from app.infra.sql.run_store import SqlRunStore
from app.infra.sql.schema import migrate
from app.infra.sql.tools.asks import SqlAsks
from app.infra.sql.tools.ledger import SqlToolLedger
from app.tools.calls import CallFacts
from app.tools.executor import Executor
from app.tools.services import ToolServices
from app.tools.tool import Tool
from core.clock import SystemClock
from core.ids import ConversationId, MessageId, RunId
from core.ports.run_store import AdmissionLimits
from core.principal import LOCAL
from core.runs import Run, RunRequest, UserMessage

AGENT: Final = "writer"
_NODE: Final = "evaluation"
_LEASE_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Workbench:
    """A run that is at work, and executors that record in its database."""

    database: Database
    breakers: PyBreakers
    run: Run

    def executor(self, tools: Mapping[str, Tool]) -> Executor:
        """Return what makes calls of these tools."""
        clock = SystemClock()
        ledger = SqlToolLedger(self.database, clock, _NODE)
        asks = SqlAsks(self.database, clock, _NODE)
        return Executor(tools, self.breakers, ledger, asks, ToolServices(clock))

    @property
    def facts(self) -> CallFacts:
        """The run, for its calls."""
        run = self.run
        return CallFacts(
            run_id=run.id,
            root_id=run.root_id,
            conversation_id=run.conversation_id,
            fence=run.fence,
            principal=run.principal,
            collection=run.collection,
        )


@asynccontextmanager
async def workbench() -> AsyncIterator[Workbench]:
    """Give a workbench in a folder that is gone afterwards."""
    with TemporaryDirectory() as folder:
        database = Database.sqlite(Path(folder) / "evaluation.sqlite")
        try:
            await migrate(database)
            breakers = PyBreakers(MemoryCircuits(), failures=5, open_seconds=30)
            yield Workbench(database, breakers, await _admitted(database))
        finally:
            await database.close()


async def _admitted(database: Database) -> Run:
    runs = SqlRunStore(database, SystemClock(), _NODE, _LEASE_SECONDS)
    request = RunRequest(
        run_id=RunId(str(uuid4())),
        conversation_id=ConversationId(str(uuid4())),
        principal=LOCAL,
        message=UserMessage(MessageId(str(uuid4())), "Call the functions."),
    )
    limits = AdmissionLimits(queued=1, queued_per_conversation=1)
    return (await runs.admit(request, limits, may_start=True)).run
