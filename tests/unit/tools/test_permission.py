"""What is refused before anything is called: who may not, what is wrong, what is used up."""

from dataclasses import replace

import pytest
from pydantic import Field

from app.tools.calls import Answered
from app.tools.services import ToolServices
from app.tools.tool import Tool, ToolArguments, ToolContext, tool
from app.tools.validation import ARGUMENTS_CHARS, parser_of_schema
from core.budgets import Budget, Spent
from core.ids import PrincipalId, TenantId
from core.principal import LOCAL, OPERATOR, USER, Principal
from core.tools import Effect, Outcome
from tests.support.memory_tools import MemoryNotes
from tests.support.tool_house import StoppedClock, Word, call, made, tool_house

NOBODY = Principal(PrincipalId("p"), TenantId("t"), frozenset())
PERSON = Principal(PrincipalId("p"), TenantId("t"), frozenset({USER}))


async def echo(arguments: Word, context: ToolContext) -> str:
    return arguments.word


class Trip(ToolArguments):
    """A trip."""

    city: str = Field(min_length=1)
    days: int = Field(ge=1, le=30)
    is_return: bool = True


@tool(name="book", description="Books.", effect=Effect.READ, roles={USER}, circuit=None)
async def book(arguments: Trip, context: ToolContext) -> str:
    return f"{arguments.city}, {arguments.days} days"


SCHEMA_BOOK = replace(
    book,
    parse=parser_of_schema(
        {
            "type": "object",
            "properties": {
                "city": {"type": "string", "minLength": 1},
                "days": {"type": "integer", "minimum": 1, "maximum": 30},
                "is_return": {"type": "boolean"},
            },
            "required": ["city", "days"],
        }
    ),
    function=echo,
)


@pytest.mark.parametrize("tool", [book, SCHEMA_BOOK], ids=["model", "schema"])
@pytest.mark.parametrize(
    ("arguments", "reasons"),
    [
        ('{"days": 3}', ("city",)),
        ('{"city": "Rome", "days": 3, "town": "x"}', ("town",)),
        ('{"city": "Rome", "days": "3"}', ("days", "integer")),
        ('{"city": "Rome", "days": 3.5}', ("days", "integer")),
        ('{"city": 5, "days": 3}', ("city", "string")),
        ('{"city": "Rome", "days": 3, "is_return": "yes"}', ("is_return", "boolean")),
        ('{"city": "Rome", "days": 99}', ("days", "30")),
        ('{"city": null, "days": 3}', ("city", "string")),
        ('{"days": "x", "town": 1}', ("city", "days", "town")),
        ("{}", ("city", "days")),
        ("", ("city", "days")),
        ("[1]", ("object",)),
        ("{", ("JSON",)),
        ('"' + "x" * ARGUMENTS_CHARS + '"', ("100,000",)),
        ("[" * 90_000, ("JSON",)),
    ],
)
async def test_arguments_that_do_not_fit_are_refused_with_every_reason(
    tool: Tool, arguments: str, reasons: tuple[str, ...]
) -> None:
    house = await tool_house(tool)

    answered = await house.answer(call("book", 1, arguments))

    assert (answered.outcome, answered.is_made) == (Outcome.INVALID, False)
    assert answered.text.startswith("book cannot take these arguments. ")
    for reason in reasons:
        assert reason in answered.text
    assert house.ledger.calls == {}


async def test_a_tool_nobody_knows_is_answered_with_those_there_are() -> None:
    house = await tool_house(made("b", echo), made("a", echo))

    answered = await house.answer(call("c"))

    assert (answered.outcome, answered.text) == (
        Outcome.INVALID,
        "There is no tool “c”, only: a, b.",
    )


@pytest.mark.parametrize(
    ("roles", "principal", "may"),
    [
        ({USER}, LOCAL, True),
        ({USER}, PERSON, True),
        ({OPERATOR}, PERSON, False),
        ({OPERATOR, USER}, PERSON, True),
        (set(), LOCAL, False),
        ({USER}, NOBODY, False),
    ],
)
async def test_only_a_role_that_the_tool_names_may_call_it(
    roles: set[str], principal: Principal, may: bool
) -> None:
    house = await tool_house(made("t", echo, roles=roles))

    answered = await house.answer(call("t"), principal=principal)

    assert answered.outcome is (Outcome.DONE if may else Outcome.REFUSED)
    assert bool(house.executor.offers(principal, "writer")) is may
    if not may:
        assert answered.text == "There is no tool “t”, and no other."
        assert house.ledger.calls == {}


@pytest.mark.parametrize(("agent", "may"), [("writer", True), ("coordinator", False)])
async def test_only_an_agent_that_the_tool_names_may_call_it(agent: str, may: bool) -> None:
    house = await tool_house(made("t", echo, agents={"writer"}), made("other", echo))

    answered = await house.answer(call("t", agent=agent))

    assert answered.outcome is (Outcome.DONE if may else Outcome.REFUSED)
    assert may or answered.text == "There is no tool “t”, only: other."


@pytest.mark.parametrize("has_notes", [True, False])
async def test_a_tool_is_there_only_with_what_it_needs(has_notes: bool) -> None:
    clock = StoppedClock()
    services = ToolServices(clock, notes=MemoryNotes(clock) if has_notes else None)
    house = await tool_house(made("t", echo, needs={"notes"}), services=services)

    assert [offer.name for offer in house.executor.offers(LOCAL, "writer")] == ["t"] * has_notes
    expected = Outcome.DONE if has_notes else Outcome.INVALID
    assert (await house.answer(call("t"))).outcome is expected


async def test_models_are_offered_names_descriptions_and_schemas() -> None:
    house = await tool_house(book)

    [offer] = house.executor.offers(PERSON, "writer")

    assert (offer.name, offer.description, offer.schema) == ("book", "Books.", book.schema)


async def test_calls_beyond_the_runs_budget_are_not_made() -> None:
    house = await tool_house(made("t", echo))
    budget, spent = Budget(tool_calls=5), Spent(tool_calls=3)

    came = await house.run(*[call("t", n) for n in range(4)], budget=budget, spent=spent)

    outcomes = [one.outcome for one in came if isinstance(one, Answered)]
    assert outcomes == [Outcome.DONE, Outcome.DONE, Outcome.REFUSED, Outcome.REFUSED]
    assert house.told[-1].text == "t was not called: no tool calls are left for it."


async def test_calls_that_cost_more_than_is_left_are_not_made_and_free_ones_are() -> None:
    house = await tool_house(made("dear", echo, cost=0.4), made("free", echo))
    calls = [call("dear", 1), call("dear", 2), call("dear", 3), call("free", 4)]

    came = await house.run(*calls, budget=Budget(money=1.0), spent=Spent(money=0.1))

    outcomes = [one.outcome for one in came if isinstance(one, Answered)]
    assert outcomes == [Outcome.DONE, Outcome.DONE, Outcome.REFUSED, Outcome.DONE]
    assert [one.cost for one in came if isinstance(one, Answered)] == [0.4, 0.4, 0.0, 0.0]


async def test_a_refused_call_takes_nothing_from_the_budget() -> None:
    house = await tool_house(made("t", echo))

    came = await house.run(call("nobody", 1), call("t", 2), budget=Budget(tool_calls=1))

    assert [one.outcome for one in came if isinstance(one, Answered)] == [
        Outcome.INVALID,
        Outcome.DONE,
    ]
