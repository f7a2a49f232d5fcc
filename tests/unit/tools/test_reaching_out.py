"""The tools that reach outside say what they found, or why they could not."""

from collections.abc import Mapping, Sequence

import pytest
from pydantic import JsonValue

from app.tools.builtin.fetch_url import fetch_url
from app.tools.builtin.run_sql import ROWS, run_sql
from app.tools.builtin.send_webhook import send_webhook
from app.tools.services import ToolServices
from app.tools.tool import (
    MayHaveHappened,
    Repairable,
    Tool,
    ToolContext,
    ToolError,
    ToolFailure,
    ToolUnavailable,
)
from app.tools.validation import InvalidArguments
from core.clock import SystemClock
from core.ids import ConversationId, RunId
from core.ports.query import QueryRefused, Rows
from core.ports.web import FetchFailed, FetchRefused, Page
from core.principal import LOCAL
from core.tools import Effect

PAGE = Page("https://example.org/", 200, "text/html", "Welcome", is_cut=False)


class ScriptedWeb:
    """Gives a page or an error, and keeps what it was asked."""

    def __init__(self, answer: Page | Exception) -> None:
        self._answer = answer
        self.asked: list[tuple[str, Sequence[str] | None]] = []

    async def fetch(self, url: str, *, allowed_hosts: Sequence[str] | None = None) -> Page:
        self.asked.append((url, allowed_hosts))
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class ScriptedWebhooks:
    """Answers every call in one way, and keeps what was sent."""

    names = ("tickets", "chat")

    def __init__(self, answer: tuple[int, str] | Exception) -> None:
        self._answer = answer
        self.sent: list[tuple[str, JsonValue, Mapping[str, str]]] = []

    async def send(self, name: str, body: JsonValue, headers: Mapping[str, str]) -> tuple[int, str]:
        self.sent.append((name, body, headers))
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class ScriptedDatabase:
    """Gives rows or an error to every statement."""

    def __init__(self, answer: Rows | Exception, tables: str = "shop(id integer)") -> None:
        self._answer = answer
        self._tables = tables

    async def describe(self) -> str:
        return self._tables

    async def query(self, sql: str, *, row_limit: int, seconds: float) -> Rows:
        assert row_limit == ROWS
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


async def call(
    tool: Tool, arguments: str, services: ToolServices, *, is_tainted: bool = False
) -> object:
    context = ToolContext(
        principal=LOCAL,
        run_id=RunId("r"),
        conversation_id=ConversationId("c"),
        collection="default",
        call_id="r-tool-1-1",
        idempotency_key="key-1",
        is_tainted=is_tainted,
        services=services,
    )
    return await tool.function(tool.parse(arguments), context)  # type: ignore[misc] # all of these are coroutines


def with_web(web: ScriptedWeb, *hosts: str) -> ToolServices:
    return ToolServices(SystemClock(), web=web, fetch_allowed_hosts=hosts)


async def test_a_page_is_told_with_where_it_is_from() -> None:
    web = ScriptedWeb(PAGE)
    told = await call(fetch_url, '{"url": "https://example.org"}', with_web(web, "allowed.org"))
    assert told == "https://example.org/ answered 200 (text/html).\n\nWelcome"
    assert web.asked == [("https://example.org", None)]


async def test_a_page_that_was_cut_says_so() -> None:
    page = Page("https://example.org/", 200, "text/html", "Welcome", is_cut=True)
    told = await call(fetch_url, '{"url": "https://example.org"}', with_web(ScriptedWeb(page)))
    assert "the rest is missing" in str(told)


@pytest.mark.parametrize("hosts", [(), ("allowed.org", "example.net")])
async def test_in_a_tainted_run_only_the_operators_hosts_are_fetched_from(
    hosts: tuple[str, ...],
) -> None:
    web = ScriptedWeb(FetchRefused("example.org is not among them."))
    with pytest.raises(Repairable, match=", ".join(hosts) or "no host at all"):
        await call(
            fetch_url, '{"url": "https://example.org"}', with_web(web, *hosts), is_tainted=True
        )
    assert web.asked == [("https://example.org", hosts)]


async def test_another_address_may_be_tried_where_one_is_refused_but_not_where_it_is_away() -> None:
    for error, expected in (
        (FetchRefused("No."), Repairable),
        (FetchFailed("Away."), ToolError),
    ):
        with pytest.raises(expected, match=str(error)):
            await call(fetch_url, '{"url": "https://x.org"}', with_web(ScriptedWeb(error)))


def test_fetching_is_a_read_whose_text_nobody_vouches_for() -> None:
    assert (fetch_url.effect, fetch_url.is_outside) == (Effect.READ, True)
    assert not fetch_url.needs_approval


def with_webhooks(webhooks: ScriptedWebhooks) -> ToolServices:
    return ToolServices(SystemClock(), webhooks=webhooks)


SEND = '{"name": "tickets", "body": {"title": "Broken"}}'


async def test_a_webhook_is_sent_with_the_calls_own_key() -> None:
    webhooks = ScriptedWebhooks((201, "made"))
    told = await call(send_webhook, SEND, with_webhooks(webhooks))
    assert told == "The webhook tickets answered 201. made"
    assert webhooks.sent == [("tickets", {"title": "Broken"}, {"Idempotency-Key": "key-1"})]


async def test_a_webhook_that_is_not_there_is_answered_with_those_that_are() -> None:
    webhooks = ScriptedWebhooks((200, ""))
    with pytest.raises(Repairable, match="tickets, chat"):
        await call(send_webhook, '{"name": "mail", "body": {}}', with_webhooks(webhooks))
    assert webhooks.sent == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((301, ""), ToolError),
        ((404, "no such"), ToolError),
        ((408, ""), MayHaveHappened),
        ((500, ""), MayHaveHappened),
        ((504, ""), MayHaveHappened),
        (FetchFailed("away"), ToolUnavailable),
        (FetchFailed("silent", may_have_happened=True), MayHaveHappened),
    ],
)
async def test_what_became_of_a_webhook_is_told_honestly(
    answer: tuple[int, str] | Exception, expected: type[ToolFailure]
) -> None:
    with pytest.raises(ToolFailure) as failed:
        await call(send_webhook, SEND, with_webhooks(ScriptedWebhooks(answer)))
    assert type(failed.value) is expected


def test_a_webhook_is_a_write_that_a_person_approves_and_nobody_repeats() -> None:
    assert (send_webhook.effect, send_webhook.needs_approval) == (Effect.WRITE, True)
    assert send_webhook.retries == 0


@pytest.mark.parametrize("body", ["[]", '"text"', "null"])
def test_a_webhooks_body_is_an_object(body: str) -> None:
    with pytest.raises(InvalidArguments, match="body"):
        send_webhook.parse(f'{{"name": "tickets", "body": {body}}}')


def with_database(database: ScriptedDatabase) -> ToolServices:
    return ToolServices(SystemClock(), database=database)


@pytest.mark.parametrize("is_cut", [True, False])
async def test_rows_are_told_with_their_columns_and_whether_there_are_more(is_cut: bool) -> None:
    services = with_database(ScriptedDatabase(Rows(("id", "name"), ((1, "a"), (2, None)), is_cut)))
    told = await call(run_sql, '{"sql": "SELECT id, name FROM shop"}', services)
    assert isinstance(told, dict)
    assert (told["columns"], told["rows"]) == (["id", "name"], [[1, "a"], [2, None]])
    assert ("cut" in told) == is_cut


async def test_without_a_statement_the_tables_are_told() -> None:
    rows = Rows((), (), is_cut=False)
    assert await call(run_sql, "{}", with_database(ScriptedDatabase(rows))) == "shop(id integer)"
    empty = await call(run_sql, '{"sql": " "}', with_database(ScriptedDatabase(rows, tables="")))
    assert "no table" in str(empty)


async def test_a_statement_that_is_refused_may_be_repaired() -> None:
    services = with_database(ScriptedDatabase(QueryRefused("no such column: colour")))
    with pytest.raises(Repairable, match="colour"):
        await call(run_sql, '{"sql": "SELECT colour FROM shop"}', services)


@pytest.mark.parametrize(
    ("tool", "needed"), [(fetch_url, "web"), (send_webhook, "webhooks"), (run_sql, "database")]
)
def test_a_tool_is_not_there_without_what_it_reaches(tool: Tool, needed: str) -> None:
    assert tool.needs == {needed}
    assert not ToolServices(SystemClock()).has(tool.needs)
