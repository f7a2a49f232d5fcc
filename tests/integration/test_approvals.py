"""Calls that a person has to approve, over the whole server: once, whatever happens meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.support import official_client
from tests.support.chat_client import ChatClient, chat_client
from tests.support.colloquy import RunningServer, running_server, server_process
from tests.support.effect_sink import EffectSink, effect_sink
from tests.support.fold import Shown

APPROVE = {"approved": True}
REJECT = {"approved": False}
Payload = dict[str, Any]


@dataclass
class Office:
    """A server that may post to a sink once a person said yes."""

    server: RunningServer
    sink: EffectSink

    def effects(self, conversation: ChatClient) -> list[str]:
        """Return what was posted for a conversation, in order."""
        return [body for _, body in self.sink.effects if conversation.conversation_id in body]

    async def pending(self, conversation: ChatClient) -> list[dict[str, Any]]:
        """Return what waits for the person, as a page that was reloaded asks for it."""
        path = f"/api/v1/conversations/{conversation.conversation_id}/interrupts"
        async with self.server.client() as http:
            answer = await http.get(path)
        found: list[dict[str, Any]] = answer.raise_for_status().json()["interrupts"]
        return found


@pytest.fixture(scope="module")
def sink() -> Iterator[EffectSink]:
    with effect_sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def office(
    tmp_path_factory: pytest.TempPathFactory, with_model: dict[str, str], sink: EffectSink
) -> Iterator[Office]:
    """One server for the tests that leave it as it is."""
    settings = {**with_model, "WEBHOOKS": f"ops={sink.url}"}
    with server_process(tmp_path_factory.mktemp("office"), **settings) as server:
        yield Office(server, sink)


@pytest.fixture
async def client(office: Office) -> AsyncIterator[ChatClient]:
    async with chat_client(office.server.socket_url) as client:
        yield client


def posts(client: ChatClient, *words: str) -> str:
    """Return a question upon which the model wants these words posted, each by a call."""
    calls = [
        {
            "name": "send_webhook",
            "arguments": {"name": "ops", "body": {"of": client.conversation_id, "word": word}},
        }
        for word in words
    ]
    return f"Post it. [[calls={quote(json.dumps(calls))} say=Came%20to:%20{{results}}]]"


def entry(interrupt: dict[str, Any], payload: Payload) -> dict[str, Any]:
    return {"interruptId": interrupt["id"], "status": "resolved", "payload": payload}


async def answer(
    client: ChatClient, *entries: dict[str, Any], run_id: str | None = None
) -> dict[str, Any]:
    """Send answers to interrupts, and return what the server says to that."""
    return await client.command(
        "run",
        run_id=run_id or str(uuid4()),
        conversation_id=client.conversation_id,
        input={"messages": [], "resume": list(entries)},
    )


async def asked(client: ChatClient, *words: str) -> list[dict[str, Any]]:
    """Ask for posts, and return the interrupts with which the run ends."""
    await client.ask(posts(client, *words))
    shown = await client.finished()
    assert shown.endings[-1] == "interrupt"
    return interrupts_in(client)


def interrupts_in(client: ChatClient) -> list[dict[str, Any]]:
    """Return the interrupts of the last run that has ended."""
    events = [event for frame in client.frames for event in frame.get("events", ())]
    last = next(event for event in reversed(events) if event["type"] == "RUN_FINISHED")
    found: list[dict[str, Any]] = last["outcome"]["interrupts"]
    return found


def said(client: ChatClient, kind: str) -> list[dict[str, Any]]:
    return [e for f in client.frames for e in f.get("events", ()) if e["type"] == kind]


def texts(shown: Shown) -> list[str]:
    return [text for _, role, text in shown.messages if role == "assistant"]


async def words_posted(office: Office, client: ChatClient) -> list[str]:
    return [json.loads(body)["word"] for body in office.effects(client)]


async def test_nothing_is_sent_before_the_person_says_yes(
    office: Office, client: ChatClient
) -> None:
    (interrupt,) = await asked(client, "one")
    assert interrupt["reason"] == "tool_call"
    assert interrupt["metadata"]["arguments"]["body"]["word"] == "one"
    assert interrupt["metadata"]["effect"] == "write"
    assert office.effects(client) == []
    assert await office.pending(client) == [interrupt]

    hash_ = interrupt["metadata"]["argumentsHash"]
    accepted = await answer(client, entry(interrupt, {**APPROVE, "argumentsHash": hash_}))
    assert accepted["type"] == "accepted"
    shown = await client.finished()
    assert shown.endings == ["interrupt", "success"]
    assert await words_posted(office, client) == ["one"]
    assert "answered 200" in texts(shown)[-1]
    assert await office.pending(client) == []


async def test_what_a_late_client_is_shown_is_what_the_first_one_saw(
    office: Office, client: ChatClient
) -> None:
    (interrupt,) = await asked(client, "one")
    await answer(client, entry(interrupt, APPROVE))
    seen = await client.finished()
    async with chat_client(office.server.socket_url, client.conversation_id) as late:
        await late.subscribe()
        await late.finished()
        assert (await late.finished()).messages == seen.messages
    path = f"/api/v1/conversations/{client.conversation_id}/messages"
    async with office.server.client() as http:
        stored = (await http.get(path)).json()["messages"]
    assert [(one["id"], one["role"], one["content"]) for one in stored] == seen.messages
    (result,) = said(client, "TOOL_CALL_RESULT")
    (call,) = stored[1]["tool_calls"]
    assert (call["id"], call["result"]) == (result["toolCallId"], result["content"])


async def test_a_rejected_call_is_not_made_and_the_model_is_told(
    office: Office, client: ChatClient
) -> None:
    (interrupt,) = await asked(client, "one")
    await answer(client, entry(interrupt, {**REJECT, "comment": "Too early."}))
    shown = await client.finished()
    assert office.effects(client) == []
    assert "The person said no" in texts(shown)[-1]
    assert "Too early." in texts(shown)[-1]


async def test_an_edited_call_is_made_with_the_persons_arguments(
    office: Office, client: ChatClient
) -> None:
    (interrupt,) = await asked(client, "one")
    edited = {"name": "ops", "body": {"of": client.conversation_id, "word": "other"}}
    await answer(client, entry(interrupt, {**APPROVE, "editedArgs": edited}))
    shown = await client.finished()
    assert await words_posted(office, client) == ["other"]
    (decided,) = [one for one in said(client, "CUSTOM") if one["name"] == "ask.decided"]
    assert decided["value"]["decision"] == "edited"
    assert json.loads(decided["value"]["arguments"]) == edited
    assert "other arguments" in texts(shown)[-1]


async def test_arguments_that_do_not_fit_are_not_sent_even_if_a_person_wrote_them(
    office: Office, client: ChatClient
) -> None:
    (interrupt,) = await asked(client, "one")
    await answer(client, entry(interrupt, {**APPROVE, "editedArgs": {"nonsense": 1}}))
    shown = await client.finished()
    assert office.effects(client) == []
    assert "nonsense" in texts(shown)[-1]


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"approved": "yes"},
        {"approved": True, "argumentsHash": "0" * 64},
        {"approved": True, "editedArgs": "x"},
        {"decision": "repeat"},
        {"decision": "sing"},
    ],
)
async def test_an_answer_that_does_not_fit_changes_nothing(
    office: Office, client: ChatClient, payload: Payload | None
) -> None:
    (interrupt,) = await asked(client, "one")
    refused = await answer(client, entry(interrupt, payload))  # type: ignore[arg-type]
    assert (refused["type"], refused["code"]) == ("error", "invalid_request")
    assert await office.pending(client) == [interrupt]


async def test_a_question_is_answered_once_however_many_tabs_do(
    office: Office, client: ChatClient
) -> None:
    (interrupt,) = await asked(client, "one")

    async def from_a_tab() -> str:
        async with chat_client(office.server.socket_url, client.conversation_id) as tab:
            return str((await answer(tab, entry(interrupt, APPROVE))).get("code", "accepted"))

    async with asyncio.TaskGroup() as group:
        tabs = [group.create_task(from_a_tab()) for _ in range(4)]
    assert sorted(tab.result() for tab in tabs) == ["accepted", "conflict", "conflict", "conflict"]
    await client.finished()
    assert await words_posted(office, client) == ["one"]


async def test_an_answer_sent_again_is_known_by_its_run(office: Office, client: ChatClient) -> None:
    (interrupt,) = await asked(client, "one")
    run_id = str(uuid4())
    first = await answer(client, entry(interrupt, APPROVE), run_id=run_id)
    again = await answer(client, entry(interrupt, APPROVE), run_id=run_id)
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    await client.finished()
    assert await words_posted(office, client) == ["one"]


async def test_several_questions_are_answered_one_by_one(
    office: Office, client: ChatClient
) -> None:
    first, second = await asked(client, "one", "two")
    await answer(client, entry(second, APPROVE))
    assert (await client.finished()).endings[-1] == "interrupt"
    assert interrupts_in(client) == [first]
    assert await words_posted(office, client) == ["two"]
    await answer(client, entry(first, REJECT))
    shown = await client.finished()
    assert shown.endings[-1] == "success"
    assert await words_posted(office, client) == ["two"]
    assert "answered 200" in texts(shown)[-1]
    assert "said no" in texts(shown)[-1]


async def test_a_new_message_passes_the_question_over(office: Office, client: ChatClient) -> None:
    (interrupt,) = await asked(client, "one")
    await client.ask("Never mind. [[say=All%20right.]]")
    assert (await client.finished()).endings[-1] == "success"
    assert await office.pending(client) == []
    refused = await answer(client, entry(interrupt, APPROVE))
    assert refused["code"] == "conflict"
    assert office.effects(client) == []


async def test_a_question_of_another_conversation_is_not_there(
    office: Office, client: ChatClient
) -> None:
    (interrupt,) = await asked(client, "one")
    async with chat_client(office.server.socket_url) as other:
        await other.ask("Hello [[say=Hello.]]")
        await other.finished()
        refused = await answer(other, entry(interrupt, APPROVE))
        assert refused["code"] == "not_found"
        unknown = await answer(other, entry({"id": str(uuid4())}, APPROVE))
        assert unknown["code"] == "not_found"


async def test_the_official_client_answers_what_it_was_asked(office: Office) -> None:
    conversation = str(uuid4())
    call = {"name": "send_webhook", "arguments": {"name": "ops", "body": {"of": conversation}}}
    calls = quote(json.dumps([call, call]))
    held = await official_client.converse(
        f"{office.server.url}/api/v1/agui",
        f"Post it. [[calls={calls} before=Let%20me. say=Done.]]",
        "resume:approve",
    )
    assert held["outcomes"] == ["interrupt", "success"]
    assert len([body for _, body in office.sink.effects if conversation in body]) == 2
    contents = [one["content"] for one in held["messages"] if one["role"] == "assistant"]
    assert contents == ["Let me.", "Done."]


@asynccontextmanager
async def reopened(
    folder: Path, settings: dict[str, str], sink: EffectSink, client: ChatClient
) -> AsyncIterator[tuple[Office, ChatClient]]:
    """Give a server on the folder that another one left, and a client that comes back to it."""
    async with running_server(folder, **settings) as server:
        conversation = client.conversation_id
        async with chat_client(server.socket_url, conversation) as back:
            await back.subscribe()
            yield Office(server, sink), back


async def test_a_question_survives_a_crash_and_so_does_its_answer(
    tmp_path: Path, with_model: dict[str, str], sink: EffectSink
) -> None:
    settings = {**with_model, "WEBHOOKS": f"ops={sink.url}"}
    async with running_server(tmp_path, **settings) as server:
        async with chat_client(server.socket_url) as client:
            (interrupt,) = await asked(client, "one")
        await server.kill()
    async with reopened(tmp_path, settings, sink, client) as (office, back):
        assert await office.pending(back) == [interrupt]
        await answer(back, entry(interrupt, APPROVE))
        assert (await back.finished()).endings == ["success"]
        assert await words_posted(office, back) == ["one"]


@pytest.mark.parametrize(("decision", "times"), [("happened", 1), ("skip", 1), ("repeat", 2)])
async def test_a_write_whose_end_was_lost_is_never_repeated_unasked(
    tmp_path: Path,
    with_model: dict[str, str],
    sink: EffectSink,
    decision: str,
    times: int,
) -> None:
    settings = {**with_model, "WEBHOOKS": f"ops={sink.url}"}
    crashing = {**settings, "COLLOQUY_FAILPOINT": "after_effect"}
    async with (
        running_server(tmp_path, **crashing) as server,
        chat_client(server.socket_url) as client,
    ):
        (interrupt,) = await asked(client, "one")
        await answer(client, entry(interrupt, APPROVE))
        await asyncio.to_thread(server.process.wait, 30)
    async with reopened(tmp_path, settings, sink, client) as (office, back):
        await back.until("RUN_FINISHED")
        (question,) = await office.pending(back)
        assert question["reason"] == "tool_outcome_unknown"
        assert await words_posted(office, back) == ["one"]
        await answer(back, entry(question, {"decision": decision}))
        await back.until("RUN_FINISHED")
        assert await words_posted(office, back) == ["one"] * times
        # Where it is done again, the key is the one it had.
        keys = {key for key, body in sink.effects if client.conversation_id in body}
        assert len(keys) == 1
