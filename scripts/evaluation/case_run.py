"""Runs one case: a scripted model asks for the calls, the executor makes them."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.tools.calls import Answered, Call
from app.tools.executor import Executor
from app.tools.tool import Tool, ToolContext
from app.tools.validation import parser_of_schema
from core.ports.chat_model import ModelReply, PromptMessage, ReplySink, ToolOffer, WantedCall
from core.principal import USER
from core.tools import Ask, Effect, Outcome
from scripts.evaluation.cases import Case, Expected, Function
from scripts.evaluation.mutations import Mutation, mutations_of
from scripts.evaluation.workbench import AGENT, Workbench

ALONE_SECONDS = 10.0
"""How long a call waits for those that should be made beside it."""


class ScriptedModel:
    """See `ChatModel`. It asks for what it is told to, whatever the question."""

    name = "scripted"

    def __init__(self, calls: Sequence[WantedCall]) -> None:
        self._calls = tuple(calls)

    async def stream(
        self,
        prompt: Sequence[PromptMessage],
        sink: ReplySink,
        tools: Sequence[ToolOffer] = (),
    ) -> ModelReply:
        """See `ChatModel`."""
        return ModelReply("", "tool_calls", None, self._calls)

    async def close(self) -> None:
        """See `ChatModel`."""


class _Deaf:
    """See `ReplySink`. Nobody listens."""

    def text(self, delta: str) -> None:
        """See `ReplySink`."""

    def reasoning(self, delta: str) -> None:
        """See `ReplySink`."""


@dataclass
class Tally:
    """How many of how many went well, by what was looked at; faults: a sentence each."""

    right: dict[str, int] = field(default_factory=dict)
    all: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def count(self, what: str, is_right: bool, fault: str) -> None:
        """Count one."""
        self.right[what] = self.right.get(what, 0) + is_right
        self.all[what] = self.all.get(what, 0) + 1
        if not is_right:
            self.faults.append(f"{what}: {fault}")


class _Meeting:
    """Where a case's calls wait until all have begun, and then end last to first."""

    def __init__(self, size: int) -> None:
        self._all_begun = asyncio.Barrier(size)
        self._ended = [asyncio.Event() for _ in range(size + 1)]
        self._ended[size].set()

    async def attend(self, place: int) -> None:
        """Wait for the others. Raises `TimeoutError` where they are not made side by side."""
        async with asyncio.timeout(ALONE_SECONDS):
            await self._all_begun.wait()
            await self._ended[place + 1].wait()
        self._ended[place].set()


async def run_case(bench: Workbench, case: Case, tally: Tally) -> None:
    """Count whether the case's calls run as they should, and the same calls with faults do not."""
    meeting = _Meeting(max(1, len(case.calls)))
    executor = bench.executor({each.name: _tool(each, meeting) for each in case.functions})
    offers = executor.offers(bench.run.principal, AGENT)
    offered = {offer.name: offer.schema for offer in offers}
    is_offered = offered == {each.name: each.schema for each in case.functions}
    tally.count("schemas are offered", is_offered, case.id)
    if case.calls:
        came = await _made(bench, executor, offers, case.id, case.calls)
        _count_answers(case, came, tally)
    for number, call in enumerate(case.calls):
        for kind, mutation in enumerate(mutations_of(call)):
            place = f"{case.id}-{number}-{kind}"
            [refused] = await _made(bench, executor, offers, place, [mutation.call])
            _count_refusal(place, mutation, refused, tally)


async def _made(
    bench: Workbench,
    executor: Executor,
    offers: Sequence[ToolOffer],
    place: str,
    calls: Sequence[Expected],
) -> list[Answered | Ask]:
    wanted = [
        WantedCall(f"{place}-{number}", call.function.name, json.dumps(call.arguments))
        for number, call in enumerate(calls)
    ]
    reply = await ScriptedModel(wanted).stream([], _Deaf(), offers)
    asked = [Call(each.id, each.name, each.arguments, AGENT) for each in reply.calls]
    return await executor.run(asked, bench.facts, lambda answered: None)


def _tool(function: Function, meeting: _Meeting) -> Tool:
    async def attend(arguments: object, context: ToolContext) -> object:
        await meeting.attend(int(context.call_id.rpartition("-")[2]))
        return arguments

    return Tool(
        name=function.name,
        description=function.description,
        schema=function.schema,
        parse=parser_of_schema(function.schema),
        function=attend,
        effect=Effect.READ,
        roles=frozenset({USER}),
        deadline_seconds=2 * ALONE_SECONDS,
        circuit=f"tool:{function.name}",
    )


def _count_answers(case: Case, came: Sequence[Answered | Ask], tally: Tally) -> None:
    given: list[object] = []
    for call, one in zip(case.calls, came, strict=True):
        is_done = isinstance(one, Answered) and one.outcome is Outcome.DONE
        said = one.text if isinstance(one, Answered) else "a person is asked"
        tally.count(f"{case.kind}: calls run", is_done, f"{case.id} {call.function.name}: {said}")
        given.append(json.loads(said) if is_done else None)
    are_in_order = given == [call.arguments for call in case.calls]
    if len(case.calls) > 1:
        tally.count("parallel calls are made side by side", None not in given, case.id)
    tally.count("results are in order", are_in_order, case.id)


def _count_refusal(place: str, mutation: Mutation, came: Answered | Ask, tally: Tally) -> None:
    is_refused = (
        isinstance(came, Answered)
        and came.outcome is Outcome.INVALID
        and not came.is_made
        and mutation.reason in came.text
    )
    said = came.text if isinstance(came, Answered) else "a person is asked"
    tally.count(f"refused: {mutation.kind}", is_refused, f"{place}: {said}")
