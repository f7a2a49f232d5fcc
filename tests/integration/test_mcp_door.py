"""Colloquy as an MCP server, asked by the official client over a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from mcp import ClientSession, McpError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from tests.support.colloquy import RunningServer, running_server, server_process
from tests.support.effect_sink import effect_sink
from tests.support.mcp_servers import EXAMPLE, program

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def notes(
    tmp_path_factory: pytest.TempPathFactory, with_model: dict[str, str]
) -> Iterator[RunningServer]:
    """A server whose model may post and may use the example server's tools."""
    folder = tmp_path_factory.mktemp("mcp")
    servers = {"example": {"command": program().command, "args": [str(EXAMPLE), "stdio"]}}
    rules = {"approval": {"echo": False}, "effects": {"echo": "read"}}
    file = folder / "mcp.json"
    file.write_text(json.dumps({"mcpServers": {"example": {**servers["example"], **rules}}}))
    with effect_sink() as sink:
        settings = {**with_model, "WEBHOOKS": f"ops={sink.url}", "MCP_SERVERS": str(file)}
        with server_process(folder, **settings) as server:
            yield server


@asynccontextmanager
async def session(server: RunningServer) -> AsyncIterator[ClientSession]:
    """Give a session of the official client."""
    async with (
        httpx.AsyncClient(trust_env=False, timeout=30) as http,
        streamable_http_client(f"{server.url}/mcp", http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


def text_of(result: CallToolResult) -> str:
    """Return what a reader sees."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def body_of(result: CallToolResult) -> Mapping[str, Any]:
    """Return what a program sees; it must be no failure."""
    assert not result.isError, text_of(result)
    assert result.structuredContent is not None
    return result.structuredContent


async def upload(server: RunningServer, name: str, text: str) -> None:
    """Put a document into the default collection and wait until it can be found."""
    async with server.client() as http:
        sent = await http.post("/api/v1/documents", files={"file": (name, text)})
        job = sent.raise_for_status().json()["job_id"]
        async with asyncio.timeout(60):
            # A job is asked for: it tells nobody of itself.
            while await _status(http, job) != "succeeded":  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def _status(http: httpx.AsyncClient, job: str) -> str:
    return str((await http.get(f"/api/v1/jobs/{job}")).raise_for_status().json()["status"])


async def test_documents_are_listed_and_found(notes: RunningServer) -> None:
    await upload(notes, "lamps.txt", "The lamp in the hall needs a bulb of sixty watts.")
    async with session(notes) as client:
        listed = body_of(await client.call_tool("list_documents", {}))
        result = await client.call_tool("search_knowledge", {"query": "bulb in the hall"})
        found = body_of(result)

    assert "lamps.txt" in {one["name"] for one in listed["documents"]}
    assert listed["next_cursor"] is None
    assert found["passages"][0]["document_name"] == "lamps.txt"
    assert "sixty watts" in text_of(result)


async def test_a_question_is_answered_by_a_turn_that_others_can_go_on_with(
    notes: RunningServer,
) -> None:
    async with session(notes) as client:
        first = body_of(await client.call_tool("ask", {"question": "One [[tokens=5]]"}))
        again = {"question": "Two [[tokens=3]]", "conversation_id": first["conversation_id"]}
        second = body_of(await client.call_tool("ask", again))

    assert first["status"] == second["status"] == "answered"
    assert first["answer"]
    assert second["conversation_id"] == first["conversation_id"]
    async with notes.client() as http:
        stored = await _messages(http, first["conversation_id"])
    assert [one["content"] for one in stored if one["role"] == "assistant"] == [
        first["answer"],
        second["answer"],
    ]


async def test_questions_in_one_conversation_wait_for_each_other(notes: RunningServer) -> None:
    conversation_id = str(uuid4())
    async with session(notes) as client, asyncio.timeout(60), asyncio.TaskGroup() as group:
        asked = [
            {"question": f"Number {n} [[say=Answer%20{n}]]", "conversation_id": conversation_id}
            for n in range(4)
        ]
        tasks = [group.create_task(client.call_tool("ask", one)) for one in asked]
    answers = [body_of(task.result())["answer"] for task in tasks]
    assert answers == [f"Answer {n}" for n in range(4)]


def calling(tool: str, /, **arguments: object) -> str:
    """Return a question upon which the model makes a call and says what came of it."""
    calls = quote(json.dumps([{"name": tool, "arguments": arguments}]))
    return f"Do it. [[calls={calls} say=Came%20to:%20{{results}}]]"


async def test_a_turn_that_waits_for_a_person_says_for_what(notes: RunningServer) -> None:
    question = calling("send_webhook", name="ops", body={"word": "one"})
    async with session(notes) as client:
        result = await client.call_tool("ask", {"question": question})

    reply = body_of(result)
    assert reply["status"] == "needs_person"
    assert reply["waiting"][0]["tool"] == "send_webhook"
    assert reply["waiting"][0]["arguments"] == {"name": "ops", "body": {"word": "one"}}
    assert "can't be done over MCP" in text_of(result)


async def test_a_turn_may_use_the_tools_of_another_server(notes: RunningServer) -> None:
    async with session(notes) as client:
        reply = body_of(
            await client.call_tool("ask", {"question": calling("example_echo", text="parrot")})
        )
        refused = body_of(
            await client.call_tool("ask", {"question": calling("example_fail", text="parrot")})
        )

    assert "parrot" in reply["answer"].removeprefix("Do it.")
    assert reply["status"] == "answered"
    assert refused["waiting"][0]["tool"] == "example_fail"


async def test_a_turn_that_fails_is_an_error_with_its_reason(notes: RunningServer) -> None:
    async with session(notes) as client:
        result = await client.call_tool("ask", {"question": "Fail [[status=401]]"})

    assert result.isError
    assert "model" in text_of(result)


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        ("search_knowledge", {}, "query"),
        ("search_knowledge", {"query": "x", "limit": 0}, "limit"),
        ("search_knowledge", {"query": "x", "collection": "nowhere"}, "nowhere"),
        ("ask", {"question": "x", "more": 1}, "more"),
        ("ask", {"question": "x", "conversation_id": "mine"}, "UUID"),
        ("list_documents", {"cursor": "made up"}, "cursor"),
    ],
)
async def test_a_call_that_asks_wrongly_is_told_why(
    notes: RunningServer, tool: str, arguments: dict[str, object], reason: str
) -> None:
    async with session(notes) as client:
        result = await client.call_tool(tool, arguments)

    assert result.isError
    assert reason in text_of(result)


async def test_a_tool_that_is_not_there_is_an_error_of_the_protocol(notes: RunningServer) -> None:
    async with session(notes) as client:
        with pytest.raises(McpError, match="only: search_knowledge, ask, list_documents"):
            await client.call_tool("delete_everything", {})


async def test_requests_need_no_session(notes: RunningServer) -> None:
    async with notes.client() as http:
        listed = await http.post("/mcp", json=LIST, headers=ACCEPT)

    assert "mcp-session-id" not in listed.headers
    data = next(line for line in listed.text.splitlines() if line.startswith("data:"))
    tools = json.loads(data.removeprefix("data:"))["result"]["tools"]
    assert [tool["name"] for tool in tools] == ["search_knowledge", "ask", "list_documents"]


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {"Host": "rebound.example"}, 403),
        ("POST", {"Origin": "http://evil.example"}, 403),
        ("POST", {"Origin": "null"}, 403),
        ("GET", {"Host": "rebound.example"}, 403),
        ("GET", {"Origin": "http://evil.example"}, 405),
        ("GET", {}, 405),
        ("DELETE", {}, 405),
        ("POST", {"Content-Length": "300000"}, 413),
    ],
)
async def test_foreign_pages_and_needless_requests_are_refused(
    notes: RunningServer, method: str, headers: dict[str, str], status: int
) -> None:
    content = b"{" + b" " * 299_999 if "Content-Length" in headers else json.dumps(LIST).encode()
    given = {**ACCEPT, "Content-Type": "application/json", **headers}
    async with notes.client() as http:
        answer = await http.request(method, "/mcp", content=content, headers=given)
    assert answer.status_code == status


async def test_a_client_that_leaves_does_not_stop_its_turn(notes: RunningServer) -> None:
    conversation_id = str(uuid4())
    arguments = {"question": "Slow [[tokens=20 rate=20]]", "conversation_id": conversation_id}
    call = {"name": "ask", "arguments": arguments}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    async with (
        notes.client() as http,
        http.stream("POST", "/mcp", json=message, headers=ACCEPT) as response,
    ):
        assert response.status_code == 200
        await _admitted(http, conversation_id)
    async with notes.client() as http, asyncio.timeout(30):
        # Nobody tells of it but the run's own events, and those are not what is asked here.
        while len(await _messages(http, conversation_id)) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    async with session(notes) as client:
        again = {"question": "And? [[say=On]]", "conversation_id": conversation_id}
        assert body_of(await client.call_tool("ask", again))["answer"] == "On"


async def _messages(http: httpx.AsyncClient, conversation_id: str) -> list[dict[str, Any]]:
    answer = await http.get(f"/api/v1/conversations/{conversation_id}/messages")
    found: list[dict[str, Any]] = answer.raise_for_status().json()["messages"]
    return found


async def _admitted(http: httpx.AsyncClient, conversation_id: str) -> None:
    async with asyncio.timeout(20):
        path = f"/api/v1/conversations/{conversation_id}"
        while (await http.get(path)).status_code != 200:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


async def test_an_answer_that_is_under_way_survives_the_wish_to_stop(
    tmp_path: Path, with_model: dict[str, str]
) -> None:
    async with running_server(tmp_path, **with_model) as server:
        conversation_id = str(uuid4())
        question = {"question": "Slow [[tokens=20 rate=20]]", "conversation_id": conversation_id}
        async with session(server) as client, asyncio.TaskGroup() as group:
            # Else the client asks for it in the end, to check the answer.
            await client.list_tools()
            asking = group.create_task(client.call_tool("ask", question))
            async with server.client() as http:
                await _admitted(http, conversation_id)
            server.process.terminate()
        assert body_of(asking.result())["status"] == "answered"
