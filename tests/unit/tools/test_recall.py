"""What a later attempt does with calls that an earlier one has begun."""

from collections.abc import Callable

import pytest

from app.tools.tool import MayHaveHappened, Tool, ToolContext
from core.ports.tool_ledger import RecordStatus
from core.tools import AskKind, Decision, Effect, ImagePart, Outcome
from tests.support.tool_house import ToolHouse, Word, call, made, tool_house

READ, IDEMPOTENT, WRITE = Effect.READ, Effect.IDEMPOTENT_WRITE, Effect.WRITE
CALL = call("act")


class Crashed(BaseException):
    """The node is lost between a call's effect and its record."""


class World:
    """What calls have done outside; crashes the node after those effects that it is told to."""

    def __init__(self, *, crashes: int = 0, fails: int = 0) -> None:
        self.effects: list[str] = []
        self._crashes = crashes
        self._fails = fails

    async def act(self, arguments: Word, context: ToolContext) -> str:
        self.effects.append(context.idempotency_key)
        if self._crashes >= len(self.effects):
            raise Crashed
        if self._fails >= len(self.effects):
            raise MayHaveHappened("The line went dead.")
        return f"done {len(self.effects)}"

    def tool(self, effect: Effect) -> Tool:
        return made("act", self.act, effect=effect, retries=0)


async def crashed(house: ToolHouse) -> None:
    with pytest.raises(Crashed):
        await house.run(CALL)
    await house.crash()


@pytest.mark.parametrize("effect", list(Effect))
async def test_what_is_done_is_not_done_again(effect: Effect) -> None:
    world = World()
    house = await tool_house(world.tool(effect))
    first = await house.answer(CALL)
    await house.crash()

    assert await house.answer(CALL) == first
    assert len(world.effects) == 1
    assert house.told == [first, first]


async def test_a_picture_on_record_comes_back_as_it_was() -> None:
    async def draw(arguments: Word, context: ToolContext) -> object:
        return [ImagePart("image/png", b"\x89PNG\x00"), ImagePart("image/gif", b"GIF")]

    house = await tool_house(made("act", draw))
    first = await house.answer(CALL)
    await house.crash()

    assert (await house.answer(CALL)).parts == first.parts
    assert len(first.parts) == 2


async def test_what_has_failed_is_not_tried_again() -> None:
    calls: list[str] = []

    async def fail(arguments: Word, context: ToolContext) -> str:
        calls.append(context.call_id)
        raise RuntimeError("a bug")

    house = await tool_house(made("act", fail))
    first = await house.answer(CALL)
    await house.crash()

    assert await house.answer(CALL) == first
    assert (first.outcome, len(calls)) == (Outcome.FAILED, 1)


@pytest.mark.parametrize("effect", [READ, IDEMPOTENT])
async def test_what_may_be_repeated_is_repeated_with_the_same_key(effect: Effect) -> None:
    world = World(crashes=1)
    house = await tool_house(world.tool(effect))
    await crashed(house)

    assert (await house.answer(CALL)).text == "done 2"
    assert world.effects == ["c1", "c1"]
    [recorded] = house.ledger.calls.values()
    assert (recorded.status, recorded.times) == (RecordStatus.DONE, 2)


async def test_a_write_that_was_begun_is_never_repeated_but_asked_about() -> None:
    world = World(crashes=1)
    house = await tool_house(world.tool(WRITE))
    await crashed(house)

    ask = await house.question(CALL)
    await house.crash()
    again = await house.question(CALL)

    assert (ask.kind, ask.call_id, ask.id) == (AskKind.UNKNOWN_OUTCOME, "c1", again.id)
    assert len(world.effects) == 1


def by_a_crash() -> World:
    return World(crashes=1)


def by_its_own_word() -> World:
    return World(fails=1)


async def unknown(house: ToolHouse) -> None:
    """Bring the house to where nobody knows what became of the call."""
    try:
        await house.question(CALL)
    except Crashed:
        await house.crash()
        await house.question(CALL)


@pytest.mark.parametrize("world_of", [by_a_crash, by_its_own_word])
@pytest.mark.parametrize(
    ("decision", "effects", "outcome", "text"),
    [
        (Decision.REPEAT, 2, Outcome.DONE, "done 2"),
        (
            Decision.HAPPENED,
            1,
            Outcome.DONE,
            "The person says that this call did happen. What it gave back is not known.",
        ),
        (
            Decision.SKIP,
            1,
            Outcome.UNKNOWN,
            "It is not known whether this call happened. The person has left it at that.",
        ),
    ],
)
async def test_the_person_decides_what_became_of_a_write(
    world_of: Callable[[], World], decision: Decision, effects: int, outcome: Outcome, text: str
) -> None:
    world = world_of()
    house = await tool_house(world.tool(WRITE))
    await unknown(house)
    await house.go_on(await house.question(CALL), decision)

    first = await house.answer(CALL)
    await house.crash()
    second = await house.answer(CALL)

    assert (first.outcome, first.text) == (outcome, text)
    assert second == first
    assert len(world.effects) == effects


@pytest.mark.parametrize("fault", ["crashes", "fails"])
async def test_a_word_to_repeat_is_good_for_one_repetition(fault: str) -> None:
    world = World(**{fault: 2})
    house = await tool_house(world.tool(WRITE))
    await unknown(house)
    first = await house.question(CALL)
    await house.go_on(first, Decision.REPEAT)
    await unknown(house)

    second = await house.question(CALL)

    assert len(world.effects) == 2
    assert second.id != first.id
    await house.go_on(second, Decision.HAPPENED)
    assert (await house.answer(CALL)).outcome is Outcome.DONE
    assert len(world.effects) == 2


async def test_a_write_in_question_needs_no_approval_once_more() -> None:
    world = World(crashes=1)
    house = await tool_house(world.tool(WRITE))
    await crashed(house)
    await house.go_on(await house.question(CALL), Decision.REPEAT)

    answered = await house.answer(CALL, is_tainted=True)

    assert answered.text == "done 2"


async def test_a_record_of_other_arguments_is_not_taken_for_this_calls() -> None:
    world = World()
    house = await tool_house(world.tool(WRITE))
    await house.answer(CALL)
    await house.crash()

    answered = await house.answer(call("act", 1, '{"word": "other"}'))

    assert answered.outcome is Outcome.FAILED
    assert answered.text == "Another call is on record under this one's id: it was not made."
    assert len(world.effects) == 1
