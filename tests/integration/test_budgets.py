"""Budgets over the whole server: a run that has used one up ends, and says so."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from core.budgets import Spent
from tests.support.chat_client import ChatClient, chat_client
from tests.support.colloquy import RunningServer, running_server
from tests.support.effect_sink import effect_sink
from tests.support.fold import Shown
from tests.support.model_server import ModelServer, SeenRequest

RECKON = {"name": "calculate", "arguments": {"expression": "6*7"}}
# As many as a run without a budget would make.
ROUNDS = 8
# What the model is asked by `warmed`.
WARMING = 1
COSTLY = """
from app.tools.tool import ToolArguments, ToolContext, tool
from core.principal import USER
from core.tools import Effect


class Nothing(ToolArguments):
    pass


@tool(name="buy", description="Buys.", effect=Effect.READ, roles={USER}, circuit=None, cost=2.0)
async def buy(arguments: Nothing, context: ToolContext) -> str:
    return "bought"
"""


@dataclass
class Counter:
    """A server with budgets, and the model that it asks."""

    server: RunningServer
    model: ModelServer

    @asynccontextmanager
    async def client(self) -> AsyncIterator[ChatClient]:
        """Give a client on a conversation of its own."""
        async with chat_client(self.server.socket_url) as client:
            yield client

    async def asked(self, client: ChatClient) -> list[SeenRequest]:
        """Return what the model was asked for a conversation."""
        return await self.model.requests_with(client.conversation_id)

    def spent(self) -> Spent:
        """Return what is on record as spent, by everybody."""
        return spent_in(self.server.folder)


def spent_in(folder: Path) -> Spent:
    """Return what is on record as spent in a data folder."""
    connection = sqlite3.connect(folder / "colloquy.sqlite")
    try:
        query = "SELECT tool_calls, model_calls, tokens, money, seconds FROM spending"
        rows = connection.execute(query).fetchall()
    finally:
        connection.close()
    return sum((Spent(*row) for row in rows), Spent())


@pytest.fixture
def settings(with_model: dict[str, str]) -> dict[str, str]:
    """The settings of a server on which everything may be used, and is counted."""
    return {**with_model, "TOOL_ROUNDS": "50", "TENANT_DAY_TOOL_CALLS": "1000000"}


@asynccontextmanager
async def counter(
    folder: Path, model: ModelServer, settings: dict[str, str]
) -> AsyncIterator[Counter]:
    """Give a server with these settings."""
    async with running_server(folder, **settings) as server:
        yield Counter(server, model)


async def works(
    client: ChatClient, *calls: object, rounds: int = ROUNDS, **script: object
) -> Shown:
    """Ask for rounds of the same calls, and return what is shown when the run has ended."""
    words = {"rounds": rounds, "calls": json.dumps(calls or [RECKON]), "say": "Enough.", **script}
    directive = " ".join(f"{key}={quote(str(value), safe='')}" for key, value in words.items())
    await client.ask(f"Go on. {client.conversation_id} [[{directive}]]")
    return await client.finished()


async def warmed(house: Counter) -> None:
    """Let a server do what takes its first run longer than the others."""
    async with house.client() as client:
        await client.ask("Hello [[say=Hello.]]")
        await client.finished()


def exhausted(client: ChatClient) -> list[dict[str, Any]]:
    """Return what a client was told of budgets."""
    events = [event for frame in client.frames for event in frame.get("events", ())]
    customs = [event for event in events if event["type"] == "CUSTOM"]
    return [one["value"] for one in customs if one["name"] == "budget.exhausted"]


def last_answer(shown: Shown) -> str:
    """Return the last message's text."""
    return shown.messages[-1][2]


def has_tools(request: SeenRequest) -> bool:
    return "tools" in json.loads(request.body)


def tokens_of(request: SeenRequest) -> int:
    """Return what the model says that a prompt took."""
    return len(request.body.encode()) // 4


@pytest.mark.parametrize(
    ("budget", "what", "words"),
    [
        ({"RUN_TOOL_CALLS": "3"}, "tool_calls", "tool calls"),
        ({"RUN_MODEL_CALLS": "3"}, "model_calls", "model calls"),
        ({"RUN_TOKENS": "6000"}, "tokens", "tokens"),
        ({"RUN_MONEY": "6", "MODEL_INPUT_PRICE": "1000"}, "money", "money"),
        ({"RUN_SECONDS": "1"}, "seconds", "time"),
    ],
)
async def test_a_run_that_has_used_up_a_budget_is_asked_once_more_and_says_so(
    tmp_path: Path,
    settings: dict[str, str],
    model: ModelServer,
    budget: dict[str, str],
    what: str,
    words: str,
) -> None:
    pause = 0.3 if what == "seconds" else 0
    async with counter(tmp_path, model, {**settings, **budget}) as house, house.client() as client:
        await warmed(house)
        shown = await works(client, delay=pause)

        assert shown.endings == ["success"]
        assert exhausted(client) == [{"whose": "run", "what": what}]
        assert f"the budget of {words} for this turn is used up" in last_answer(shown)
        asked = await house.asked(client)
        assert 1 < len(asked) <= ROUNDS
        assert [has_tools(one) for one in asked] == [True] * (len(asked) - 1) + [False]
        assert f"the budget of {words} for this turn is used up" in asked[-1].body
        spent = house.spent()
        assert spent.model_calls == WARMING + len(asked)
        # Before the last step there was something left; it and one more call are all that came.
        *before, _, _ = map(tokens_of, asked)
        match what:
            case "tool_calls":
                assert spent.tool_calls == 3
            case "model_calls":
                assert len(asked) == 4
            case "tokens" | "money":
                assert sum(before) < 6000 < sum(map(tokens_of, asked)) < spent.tokens
                assert what == "tokens" or spent.money == pytest.approx(spent.tokens / 1000, 0.1)
            case "seconds":
                assert spent.seconds >= 1


async def test_calls_beyond_the_budget_are_not_made_even_within_a_round(
    tmp_path: Path, settings: dict[str, str], model: ModelServer
) -> None:
    budget = {"RUN_TOOL_CALLS": "3"}
    async with counter(tmp_path, model, {**settings, **budget}) as house, house.client() as client:
        shown = await works(client, *[RECKON] * 5, say="{results}")
        assert exhausted(client) == [{"whose": "run", "what": "tool_calls"}]
        assert last_answer(shown).count('failed="no"') == 3
        assert last_answer(shown).count("no tool calls are left") == 2
        assert house.spent().tool_calls == 3


async def test_a_call_that_costs_more_than_is_left_is_not_made(
    tmp_path: Path, settings: dict[str, str], model: ModelServer
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "buy.py").write_text(COSTLY)
    budget = {"RUN_MONEY": "5", "TOOLS_DIR": str(tools)}
    async with counter(tmp_path, model, {**settings, **budget}) as house, house.client() as client:
        shown = await works(
            client, *[{"name": "buy", "arguments": {}}] * 3, rounds=1, say="{results}"
        )
        assert last_answer(shown).count("bought") == 2
        assert "costs more money" in last_answer(shown)
        assert house.spent().money == 4


@pytest.mark.parametrize(
    ("budget", "limit", "words"),
    [
        ({"USER_DAY_TOOL_CALLS": "3"}, "tool_calls", "tool calls"),
        ({"USER_DAY_MODEL_CALLS": "3"}, "model_calls", "model calls"),
        ({"USER_DAY_TOKENS": "6000"}, "tokens", "tokens"),
        ({"USER_DAY_MONEY": "6", "MODEL_INPUT_PRICE": "1000"}, "money", "money"),
        ({"USER_DAY_SECONDS": "1"}, "seconds", "time"),
        ({"TENANT_DAY_MODEL_CALLS": "3"}, "model_calls", "model calls"),
    ],
)
async def test_who_has_used_up_the_day_is_refused_at_once_also_after_a_restart(
    tmp_path: Path,
    settings: dict[str, str],
    model: ModelServer,
    budget: dict[str, str],
    limit: str,
    words: str,
) -> None:
    whose = next(iter(budget)).partition("_")[0].lower()
    owner = {"user": "this person today", "tenant": "this organisation today"}[whose]
    pause = 0.3 if limit == "seconds" else 0
    async with counter(tmp_path, model, {**settings, **budget}) as house, house.client() as client:
        shown = await works(client, delay=pause)
        assert exhausted(client) == [{"whose": whose, "what": limit}]
        assert f"the budget of {words} for {owner} is used up" in last_answer(shown)
        await refused(house, words, owner)
        before = house.spent()
        await house.server.kill()
    async with counter(tmp_path, model, {**settings, **budget}) as house:
        await refused(house, words, owner)
        after = house.spent()
        assert (after.model_calls, after.tool_calls) == (before.model_calls, before.tool_calls)


async def refused(house: Counter, words: str, owner: str) -> None:
    """Check that a question is answered with the budget's name, and that no model is asked."""
    async with house.client() as client:
        await client.ask(f"And now? {client.conversation_id}")
        ended = await client.until("RUN_ERROR")
        assert ended["code"] == "quota_exceeded"
        assert ended["message"] == f"The budget of {words} for {owner} is used up."
        assert await house.asked(client) == []


async def test_calls_beyond_the_day_are_not_made_even_within_a_round(
    tmp_path: Path, settings: dict[str, str], model: ModelServer
) -> None:
    budget = {"USER_DAY_TOOL_CALLS": "3"}
    async with counter(tmp_path, model, {**settings, **budget}) as house, house.client() as client:
        await works(client, RECKON, rounds=1)
        assert exhausted(client) == []
        shown = await works(client, *[RECKON] * 5, say="{results}")
        assert exhausted(client) == [{"whose": "user", "what": "tool_calls"}]
        assert last_answer(shown).count("no tool calls are left") == 3
        assert house.spent().tool_calls == 3


async def test_what_a_run_spent_before_its_question_counts_once_for_the_day(
    tmp_path: Path, settings: dict[str, str], model: ModelServer
) -> None:
    with effect_sink() as sink:
        budget = {"USER_DAY_MODEL_CALLS": "3", "WEBHOOKS": f"ops={sink.url}"}
        post = {"name": "send_webhook", "arguments": {"name": "ops", "body": {}}}
        async with (
            counter(tmp_path, model, {**settings, **budget}) as house,
            house.client() as client,
        ):
            await works(client, [post], [RECKON], rounds=1)
            ended = [e for f in client.frames for e in f.get("events", ())][-1]
            (interrupt,) = ended["outcome"]["interrupts"]
            entry = {"interruptId": interrupt["id"], "status": "resolved"}
            await client.command(
                "run",
                run_id=str(uuid4()),
                conversation_id=client.conversation_id,
                input={"messages": [], "resume": [{**entry, "payload": {"approved": True}}]},
            )
            shown = await client.finished()
            assert shown.endings == ["interrupt", "success"]
            # Three calls of the model, the first before the question: none of them too many.
            assert exhausted(client) == []
            assert last_answer(shown) == "Enough."
            assert house.spent().model_calls == 3


@pytest.mark.parametrize("failpoint", ["after_checkpoint:4", "before_finish"])
async def test_a_run_that_was_taken_over_counts_its_steps_once(
    tmp_path: Path, settings: dict[str, str], model: ModelServer, failpoint: str
) -> None:
    crashing = {**settings, "COLLOQUY_FAILPOINT": failpoint}
    async with counter(tmp_path, model, crashing) as house, house.client() as client:
        await start(client, rounds=3)
        await asyncio.to_thread(house.server.process.wait, 30)
        assert house.spent() == Spent()
    async with counter(tmp_path, model, settings) as house:
        async with chat_client(house.server.socket_url, client.conversation_id) as back:
            await back.subscribe()
            await back.until("RUN_FINISHED")
        asked = await house.asked(client)
        spent = house.spent()
        assert (spent.tool_calls, spent.model_calls) == (3, 4)
        assert len(asked) == 4


async def test_a_run_that_was_taken_over_and_cancelled_counts_what_it_did_before(
    tmp_path: Path, settings: dict[str, str], model: ModelServer
) -> None:
    crashing = {**settings, "COLLOQUY_FAILPOINT": "after_checkpoint:4"}
    async with counter(tmp_path, model, crashing) as house, house.client() as client:
        run_id = await start(client, rounds=2, say="word " * 200, rate=5)
        await asyncio.to_thread(house.server.process.wait, 30)
    async with counter(tmp_path, model, settings) as house:
        async with chat_client(house.server.socket_url, client.conversation_id) as back:
            await back.subscribe()
            await back.until("TEXT_MESSAGE_CONTENT")
            await back.command("cancel", run_id=run_id)
            assert (await back.finished()).endings == ["cancelled"]
        spent = house.spent()
        assert (spent.tool_calls, spent.model_calls) == (2, 2)


async def start(client: ChatClient, *, rounds: int, **script: object) -> str:
    """Ask for rounds of calls, and return the run's id at once."""
    words = {"rounds": rounds, "calls": json.dumps([RECKON]), "say": "Enough.", **script}
    directive = " ".join(f"{key}={quote(str(value), safe='')}" for key, value in words.items())
    return await client.ask(f"Go on. {client.conversation_id} [[{directive}]]")
