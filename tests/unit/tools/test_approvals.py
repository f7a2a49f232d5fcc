"""Calls that wait for a person: asked once, bound to the arguments, each answered for itself."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.tools.calls import Answered
from app.tools.tool import Tool, ToolContext
from core.ports.tool_ledger import RecordStatus
from core.tools import Ask, AskKind, Decision, Effect, Outcome, arguments_hash
from tests.support.tool_house import ToolHouse, Word, call, made, tool_house

READ, IDEMPOTENT, WRITE = Effect.READ, Effect.IDEMPOTENT_WRITE, Effect.WRITE
ARGUMENTS = '{"word": "hello"}'
SEND = call("send", 1, ARGUMENTS)


async def sending(*others: Tool) -> tuple[ToolHouse, list[str]]:
    sent: list[str] = []

    async def send(arguments: Word, context: ToolContext) -> str:
        sent.append(arguments.word)
        return f"Sent {arguments.word}."

    tool = made("send", send, effect=WRITE, needs_approval=True)
    return await tool_house(tool, *others, ask_seconds=600), sent


async def test_a_person_is_asked_with_the_exact_arguments_and_nothing_is_called() -> None:
    house, sent = await sending()

    ask = await house.question(SEND)

    assert (ask.kind, ask.tool, ask.call_id, ask.effect) == (
        AskKind.APPROVAL,
        "send",
        "c1",
        WRITE,
    )
    assert (ask.arguments, ask.arguments_hash) == (ARGUMENTS, arguments_hash(ARGUMENTS))
    assert ask.expires_at == house.clock.now() + timedelta(minutes=10)
    assert await house.asks.of_run(house.present.root_id) == {"c1": [ask]}
    assert (sent, house.ledger.calls, house.told) == ([], {}, [])


async def test_an_attempt_after_a_crash_asks_the_same_question() -> None:
    house, _ = await sending()
    ask = await house.question(SEND)

    await house.crash()

    assert await house.question(SEND) == ask


async def test_a_question_that_ran_out_is_asked_anew() -> None:
    house, sent = await sending()
    ask = await house.question(SEND)
    house.clock.moment += timedelta(minutes=11)
    await house.crash()

    again = await house.question(SEND)

    assert again.id != ask.id
    assert again.expires_at == house.clock.now() + timedelta(minutes=10)
    assert sent == []


async def test_an_approved_call_is_made_once_however_often_the_run_is_lost() -> None:
    house, sent = await sending()
    await house.go_on(await house.question(SEND), Decision.APPROVED)

    first = await house.answer(SEND)
    await house.crash()
    second = await house.answer(SEND)

    assert first == second
    assert (first.outcome, first.text, sent) == (Outcome.DONE, "Sent hello.", ["hello"])


async def test_an_edited_call_is_made_with_the_persons_arguments() -> None:
    house, sent = await sending()
    ask = await house.question(SEND)
    await house.go_on(ask, Decision.EDITED, edited='{"word": "goodbye"}')

    answered = await house.answer(SEND)

    assert answered.call == replace(SEND, arguments='{"word": "goodbye"}')
    assert answered.text.endswith("with other arguments than were asked for. Sent goodbye.")
    assert sent == ["goodbye"]
    [recorded] = house.ledger.calls.values()
    assert recorded.key.arguments_hash == arguments_hash('{"word": "goodbye"}')


async def test_edited_arguments_are_validated_like_any_others() -> None:
    house, sent = await sending()
    await house.go_on(await house.question(SEND), Decision.EDITED, edited='{"wrod": 1}')

    answered = await house.answer(SEND)

    assert answered.outcome is Outcome.INVALID
    assert "wrod" in answered.text
    assert sent == []


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        ("", "The person said no to this call."),
        ("Too early.", "The person said no to this call. They say: Too early."),
    ],
)
async def test_a_rejected_call_is_refused_in_the_persons_words(comment: str, text: str) -> None:
    house, sent = await sending()
    await house.go_on(await house.question(SEND), Decision.REJECTED, comment=comment)

    answered = await house.answer(SEND)

    assert (answered.outcome, answered.text, sent) == (Outcome.REFUSED, text, [])


async def test_a_persons_yes_is_for_those_arguments_and_that_call_only() -> None:
    house, sent = await sending()
    await house.go_on(await house.question(SEND), Decision.APPROVED)

    other_arguments = await house.answer(call("send", 1, '{"word": "other"}'))
    other_call = await house.question(call("send", 2, ARGUMENTS))

    assert (other_arguments.outcome, sent) == (Outcome.REFUSED, [])
    assert other_call.call_id == "c2"


async def test_several_questions_of_a_step_are_answered_one_by_one() -> None:
    house, sent = await sending()
    calls = [call("send", n, f'{{"word": "{n}"}}') for n in (1, 2, 3)]
    asks = [one for one in await house.run(*calls) if isinstance(one, Ask)]
    assert [ask.call_id for ask in asks] == ["c1", "c2", "c3"]
    house.asks.decide(asks[2].id, Decision.REJECTED)
    await house.go_on(asks[0], Decision.APPROVED)

    came = await house.run(*calls)

    assert [type(one) for one in came] == [Answered, Ask, Answered]
    assert came[1] == asks[1]
    assert sent == ["1"]


async def test_a_call_without_a_question_does_not_wait_for_one_that_has() -> None:
    async def echo(arguments: Word, context: ToolContext) -> str:
        return arguments.word

    house, _ = await sending(made("echo", echo))

    asked, answered = await house.run(SEND, call("echo", 2))

    assert isinstance(asked, Ask)
    assert isinstance(answered, Answered)


@pytest.mark.parametrize(
    ("effect", "is_tainted", "asks"),
    [
        (READ, True, False),
        (IDEMPOTENT, True, True),
        (WRITE, True, True),
        (IDEMPOTENT, False, False),
        (WRITE, False, False),
    ],
)
async def test_writes_need_a_persons_word_once_text_from_outside_is_in_the_run(
    effect: Effect, is_tainted: bool, asks: bool
) -> None:
    async def act(arguments: Word, context: ToolContext) -> str:
        return f"tainted: {context.is_tainted}"

    house = await tool_house(made("act", act, effect=effect))

    [came] = await house.run(call("act"), is_tainted=is_tainted)

    assert isinstance(came, Ask) is asks
    assert asks or (isinstance(came, Answered) and came.text == f"tainted: {is_tainted}")


async def test_a_read_may_need_a_persons_word_too() -> None:
    async def look(arguments: Word, context: ToolContext) -> str:
        return "seen"

    house = await tool_house(made("look", look, needs_approval=True))

    await house.go_on(await house.question(call("look")), Decision.APPROVED)

    assert (await house.answer(call("look"))).text == "seen"
    assert [one.status for one in house.ledger.calls.values()] == [RecordStatus.DONE]
