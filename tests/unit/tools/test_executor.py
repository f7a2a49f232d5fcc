"""What becomes of a step's calls: side by side, in order, each failure for itself."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from app.tools.calls import Answered
from app.tools.tool import (
    MayHaveHappened,
    Repairable,
    Tool,
    ToolContext,
    ToolError,
    ToolUnavailable,
)
from core.errors import Busy, Internal, NotFound, StorageUnavailable
from core.ports.tool_ledger import CallFenced, RecordStatus
from core.tools import Effect, Outcome, TextPart
from tests.support.tool_house import Word, call, made, tool_house

READ, IDEMPOTENT, WRITE = Effect.READ, Effect.IDEMPOTENT_WRITE, Effect.WRITE


async def echo(arguments: Word, context: ToolContext) -> str:
    return arguments.word


async def hang(arguments: Word, context: ToolContext) -> str:
    await asyncio.Event().wait()
    return "never"


class Failing:
    """A tool's function that raises one error after the other, and then answers."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.keys: list[str] = []

    async def __call__(self, context: ToolContext) -> str:
        self.keys.append(context.idempotency_key)
        if self._errors:
            raise self._errors.pop(0)
        return "fine"


def failing(effect: Effect, *errors: Exception, circuit: str | None = None) -> tuple[Tool, Failing]:
    body = Failing(*errors)

    async def function(arguments: Word, context: ToolContext) -> str:
        return await body(context)

    retries = 2 if effect.is_repeatable else 0
    return made("t", function, effect=effect, retries=retries, circuit=circuit), body


async def test_calls_run_side_by_side_and_answer_in_their_order() -> None:
    everybody = asyncio.Barrier(3)
    last_is_done = asyncio.Event()

    async def meet(arguments: Word, context: ToolContext) -> str:
        # All have begun before any ends, and the first to be called is the last to end.
        await everybody.wait()
        if arguments.word != "3":
            await last_is_done.wait()
        last_is_done.set()
        return arguments.word

    house = await tool_house(made("meet", meet))
    calls = [call("meet", number, f'{{"word": "{number}"}}') for number in (1, 2, 3)]

    came = await house.run(*calls)

    assert [one.text for one in came if isinstance(one, Answered)] == ["1", "2", "3"]
    assert house.told[0].call.id == "c3"


async def test_a_step_takes_no_longer_than_its_slowest_call() -> None:
    begun: list[str] = []
    all_begun = asyncio.Event()

    async def count(arguments: Word, context: ToolContext) -> str:
        begun.append(context.call_id)
        if len(begun) == 100:
            all_begun.set()
        await all_begun.wait()
        return context.call_id

    house = await tool_house(made("count", count))

    came = await house.run(*[call("count", number) for number in range(100)])

    assert [one.text for one in came if isinstance(one, Answered)] == [f"c{n}" for n in range(100)]


async def test_an_answer_says_what_was_called_and_what_it_took() -> None:
    house = await tool_house(made("echo", echo, cost=0.5, is_outside=True))

    answered = await house.answer(call("echo", 1, '{"word": "hello"}'))

    assert answered == Answered(
        call("echo", 1, '{"word": "hello"}'),
        Outcome.DONE,
        "hello",
        (TextPart("hello"),),
        is_made=True,
        cost=0.5,
        is_outside=True,
    )
    assert house.told == [answered]


async def test_a_function_that_blocks_does_not_hold_up_the_others() -> None:
    free = threading.Event()

    def block(arguments: Word, context: ToolContext) -> str:
        assert free.wait(10)
        return threading.current_thread().name

    async def release(arguments: Word, context: ToolContext) -> str:
        free.set()
        return "released"

    house = await tool_house(made("block", block), made("release", release))

    came = await house.run(call("block", 1), call("release", 2))

    assert [one.text for one in came if isinstance(one, Answered)] == ["tool", "released"]


async def test_a_bug_in_one_tool_is_not_the_others_and_tells_no_secret() -> None:
    buggy, _ = failing(READ, RuntimeError("secret"))
    house = await tool_house(buggy, made("echo", echo))

    failed, fine = await house.run(call("t", 1), call("echo", 2))

    assert isinstance(failed, Answered)
    assert isinstance(fine, Answered)
    assert (failed.outcome, failed.text) == (
        Outcome.FAILED,
        "t failed through a fault of this server.",
    )
    assert (fine.outcome, fine.text) == (Outcome.DONE, "x")


async def test_a_bug_in_a_validator_is_an_answer_too() -> None:
    def broken(arguments: str) -> object:
        raise RuntimeError("secret")

    house = await tool_house(replace(made("t", echo), parse=broken))

    answered = await house.answer(call("t"))

    assert (answered.outcome, answered.is_made) == (Outcome.FAILED, False)
    assert "secret" not in answered.text


@pytest.mark.parametrize(
    ("error", "outcome", "text"),
    [
        (ToolError("No such city."), Outcome.FAILED, "No such city."),
        (Repairable("No such column: a."), Outcome.INVALID, "No such column: a."),
        (ToolUnavailable("It is away."), Outcome.UNAVAILABLE, "It is away."),
        (NotFound("There is no such collection."), Outcome.FAILED, "There is no such collection."),
        (Busy("Come back later."), Outcome.UNAVAILABLE, "Come back later."),
        (StorageUnavailable("No answer."), Outcome.FAILED, "No answer."),
        (MayHaveHappened("It broke off."), Outcome.FAILED, "It broke off."),
    ],
)
async def test_what_a_read_raises_is_an_answer(
    error: Exception, outcome: Outcome, text: str
) -> None:
    tool, _ = failing(READ, error, error, error)
    house = await tool_house(tool)

    answered = await house.answer(call("t"))

    assert (answered.outcome, answered.text) == (outcome, text)
    assert answered.is_made == (outcome is not Outcome.UNAVAILABLE)


@pytest.mark.parametrize(
    "error", [MayHaveHappened("It broke off."), TimeoutError(), RuntimeError("a bug")]
)
async def test_a_write_that_may_have_happened_is_the_persons_to_judge(error: Exception) -> None:
    tool, body = failing(WRITE, error)
    house = await tool_house(tool)

    ask = await house.question(call("t"))

    assert (ask.kind, ask.call_id, ask.tool, ask.arguments) == ("unknown_outcome", "c1", "t", "{}")
    assert len(body.keys) == 1
    assert [one.status for one in house.ledger.calls.values()] == [RecordStatus.UNKNOWN]
    assert house.told == []


@pytest.mark.parametrize("error", [ToolError("No."), ToolUnavailable("Away."), NotFound("None.")])
async def test_a_write_that_says_it_changed_nothing_asks_nobody(error: Exception) -> None:
    tool, _ = failing(WRITE, error)
    house = await tool_house(tool)

    await house.answer(call("t"))

    assert [one.status for one in house.ledger.calls.values()] == [RecordStatus.FAILED]


async def test_an_idempotent_write_that_may_have_happened_says_so_and_asks_nobody() -> None:
    tool, _ = failing(IDEMPOTENT, *[MayHaveHappened("It broke off.")] * 3)
    house = await tool_house(tool)

    answered = await house.answer(call("t"))

    assert answered.outcome is Outcome.UNKNOWN
    assert answered.text == "It broke off. Whether it happened is not known."


@pytest.mark.parametrize("effect", [READ, IDEMPOTENT])
@pytest.mark.parametrize(
    "error",
    [ToolUnavailable("Away."), MayHaveHappened("Lost."), TimeoutError(), StorageUnavailable("?")],
)
async def test_what_may_be_repeated_is_repeated_under_the_same_key(
    effect: Effect, error: Exception
) -> None:
    tool, body = failing(effect, error, error)
    house = await tool_house(tool)

    answered = await house.answer(call("t"))

    assert (answered.outcome, answered.text) == (Outcome.DONE, "fine")
    assert body.keys == ["c1"] * 3


@pytest.mark.parametrize(
    "error", [ToolError("No."), Repairable("Otherwise."), NotFound("None."), ValueError("a bug")]
)
async def test_an_answer_of_the_tool_is_not_asked_for_again(error: Exception) -> None:
    tool, body = failing(READ, error)
    house = await tool_house(tool)

    await house.answer(call("t"))

    assert len(body.keys) == 1


async def test_a_tool_that_hangs_is_given_up_at_its_deadline() -> None:
    house = await tool_house(made("hang", hang, deadline_seconds=0.001), made("echo", echo))

    hung, fine = await house.run(call("hang", 1), call("echo", 2))

    assert isinstance(hung, Answered)
    assert (hung.outcome, hung.text) == (
        Outcome.FAILED,
        "hang gave no answer within 0.001 seconds.",
    )
    assert isinstance(fine, Answered)
    assert fine.outcome is Outcome.DONE


async def test_a_function_in_a_thread_learns_that_nobody_waits_any_more() -> None:
    told = threading.Event()

    def block(arguments: Word, context: ToolContext) -> str:
        while not context.is_cancelled():
            pass
        told.set()
        return "late"

    house = await tool_house(made("block", block, deadline_seconds=0.001))

    answered = await house.answer(call("block"))

    assert answered.outcome is Outcome.FAILED
    assert await asyncio.to_thread(told.wait, 10)


async def test_an_open_breaker_keeps_calls_away_and_the_answer_says_which() -> None:
    tool, body = failing(WRITE, *[ToolUnavailable("Away.")] * 5, circuit="tool:t")
    house = await tool_house(tool)
    for number in range(5):
        await house.answer(call("t", number))

    answered = await house.answer(call("t", 6))

    assert len(body.keys) == 5
    assert (answered.outcome, answered.circuit) == (Outcome.UNAVAILABLE, "tool:t")
    assert 0 < answered.retry_after_seconds <= 30
    assert not answered.is_made
    assert answered.text == "t is not available now: what it needs does not answer."


@pytest.mark.parametrize("error", [ToolError("No."), Repairable("Otherwise."), NotFound("None.")])
async def test_answers_of_a_tool_that_works_open_no_breaker(error: Exception) -> None:
    tool, _ = failing(READ, *[error] * 10, circuit="tool:t")
    house = await tool_house(tool)

    for number in range(11):
        answered = await house.answer(call("t", number))

    assert answered.text == "fine"


async def test_cancelling_reaches_every_tool_and_closes_no_record() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    thread_begun, thread_ended = threading.Event(), threading.Event()

    async def wait(arguments: Word, context: ToolContext) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return "never"

    def block(arguments: Word, context: ToolContext) -> str:
        thread_begun.set()
        while not context.is_cancelled():
            pass
        thread_ended.set()
        return "never"

    house = await tool_house(made("wait", wait, effect=WRITE, circuit="w"), made("block", block))
    async with asyncio.TaskGroup() as group:
        step = group.create_task(house.run(call("wait", 1), call("block", 2)))
        await begun.wait()
        await asyncio.to_thread(thread_begun.wait, 10)
        step.cancel()

    assert step.cancelled()
    assert ended.is_set()
    assert await asyncio.to_thread(thread_ended.wait, 10)
    assert {one.status for one in house.ledger.calls.values()} == {RecordStatus.STARTED}
    assert house.told == []


async def test_a_tool_that_cancels_itself_has_failed_and_stops_nobody() -> None:
    async def give_up(arguments: Word, context: ToolContext) -> str:
        raise asyncio.CancelledError

    house = await tool_house(made("give_up", give_up, circuit="g"), made("echo", echo))

    gone, fine = await house.run(call("give_up", 1), call("echo", 2))

    assert isinstance(gone, Answered)
    assert isinstance(fine, Answered)
    assert (gone.outcome, fine.outcome) == (Outcome.FAILED, Outcome.DONE)


@pytest.mark.parametrize("circuit", [None, "tool:t"])
async def test_an_internal_error_ends_the_run_as_itself(circuit: str | None) -> None:
    tool, _ = failing(READ, Internal("This can't go on."), circuit=circuit)
    house = await tool_house(tool, made("hang", hang))

    with pytest.raises(Internal, match="This can't go on"):
        await house.run(call("hang", 1), call("t", 2))


async def test_an_attempt_that_was_replaced_makes_no_call() -> None:
    tool, body = failing(WRITE)
    house = await tool_house(tool)
    await house.attempts.take_over(house.present)

    with pytest.raises(CallFenced):
        await house.run(call("t"))

    assert body.keys == []


async def test_a_call_is_on_record_before_it_is_made_and_after() -> None:
    seen: list[RecordStatus] = []

    async def look(arguments: Word, context: ToolContext) -> str:
        seen.extend(one.status for one in house.ledger.calls.values())
        return "seen"

    house = await tool_house(made("look", look, effect=WRITE))
    await house.answer(call("look"))

    assert seen == [RecordStatus.STARTED]
    assert [one.status for one in house.ledger.calls.values()] == [RecordStatus.DONE]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (lambda: "a" * 50, "a" * 10 + "\n[Cut here: this is 10 of 50 characters.]"),
        (lambda: {"n": 1}, '{"n": 1}'),
        (lambda: None, "[The tool gave nothing back.]"),
    ],
)
async def test_what_a_tool_gives_back_is_shown_within_its_limit(
    body: Callable[[], object], shown: str
) -> None:
    async def give(arguments: Word, context: ToolContext) -> object:
        return body()

    house = await tool_house(made("give", give, max_output_chars=10))

    assert (await house.answer(call("give"))).text == shown


async def test_no_calls_are_no_answers() -> None:
    house = await tool_house()

    assert await house.run() == []
