"""Holds what is kept in memory for tests of tools to the contracts of the real stores."""

import inspect
from types import ModuleType

import pytest

from core.ports.asks import Asks
from core.ports.notes import Notes
from core.ports.tool_ledger import ToolLedger
from core.tools import AskKind
from tests.contract import test_asks, test_notes, test_tool_ledger
from tests.support.attempts import Attempts, call_key, question_about
from tests.support.memory_tools import MemoryAsks, MemoryAttempts, MemoryNotes, MemoryToolLedger


@pytest.fixture
def memory() -> MemoryAttempts:
    return MemoryAttempts()


@pytest.fixture
def attempts(memory: MemoryAttempts) -> Attempts:
    return memory


@pytest.fixture
def ledger(memory: MemoryAttempts) -> ToolLedger:
    return MemoryToolLedger(memory)


@pytest.fixture
def asks(memory: MemoryAttempts) -> Asks:
    return MemoryAsks(memory, MemoryToolLedger(memory))


@pytest.fixture
def notes() -> Notes:
    return MemoryNotes()


def _adopt(contract: ModuleType, *fixtures: str) -> None:
    """Make a contract's tests this module's, but for those that want more than these fixtures.

    What is asked about a lost repetition, and of runs that have ended, needs a run store.
    """
    adopted = {
        name: test
        for name, test in vars(contract).items()
        if name.startswith("test_") and inspect.signature(test).parameters.keys() <= {*fixtures}
    }
    assert adopted
    globals().update(adopted)


_adopt(test_tool_ledger, "attempts", "ledger", "status")
_adopt(test_asks, "attempts", "asks")
_adopt(test_notes, "notes")


async def test_whether_a_call_happened_is_asked_again_only_where_it_was_begun_again() -> None:
    memory = MemoryAttempts()
    ledger = MemoryToolLedger(memory)
    asks = MemoryAsks(memory, ledger)
    run = await memory.begin("r1")
    key = call_key(run)
    await ledger.begin(key)
    question = question_about(run, kind=AskKind.UNKNOWN_OUTCOME)
    [first] = await asks.ask(run.id, run.fence, [question])

    [before] = await asks.ask(run.id, run.fence, [question])
    await ledger.begin_again(key)
    [after] = await asks.ask(run.id, run.fence, [question])

    assert before == first
    assert after.id != first.id
