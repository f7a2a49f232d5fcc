"""The whole server as its users meet it: a process, a socket, HTTP, a model behind HTTP."""

import asyncio
import json
import sys
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.support.chat_client import ChatClient, chat_client
from tests.support.colloquy import (
    ROOT,
    RunningServer,
    running_server,
    server_environment,
    share_weights,
)
from tests.support.model_server import ModelServer

SLOW = "Tell me slowly [[tokens=60 rate=20]]"
TERMS = "Refunds are paid within five working days after we receive the goods."


async def stored(server: RunningServer, conversation_id: str) -> list[tuple[str, str, str]]:
    """Return the transcript as `Shown.messages` has it."""
    async with server.client() as http:
        answer = await http.get(f"/api/v1/conversations/{conversation_id}/messages")
    messages = answer.raise_for_status().json()["messages"]
    return [(one["id"], one["role"], one["content"]) for one in messages]


async def upload(server: RunningServer, name: str, text: str) -> str:
    """Upload a document, wait until it can be searched, and return its id."""
    async with server.client() as http:
        answer = await http.post("/api/v1/documents", files={"file": (name, text.encode())})
        job = answer.raise_for_status().json()
        async with asyncio.timeout(60):
            while True:
                state = (await http.get(f"/api/v1/jobs/{job['job_id']}")).json()
                if state["status"] not in ("queued", "running"):
                    break
        assert state["status"] == "succeeded", state
        return str(job["document_id"])


async def test_an_answer_streams_and_what_is_shown_is_stored(server: RunningServer) -> None:
    async with chat_client(server.socket_url) as client:
        await client.ask("Count [[tokens=5]]")
        shown = await client.finished()

        assert shown.endings == ["success"]
        assert [role for _, role, _ in shown.messages] == ["user", "assistant"]
        assert shown.messages == await stored(server, client.conversation_id)


async def test_two_tabs_see_the_same_events_in_the_same_order(server: RunningServer) -> None:
    async with (
        chat_client(server.socket_url) as first,
        chat_client(server.socket_url, first.conversation_id) as second,
    ):
        await first.ask("Count [[tokens=40 rate=100]]")
        await second.subscribe()
        await asyncio.gather(first.finished(), second.finished())

        assert events_of(first) == events_of(second)


def events_of(client: ChatClient) -> list[dict[str, object]]:
    """Return every event a client was sent, in order."""
    return [event for frame in client.frames for event in frame.get("events", ())]


async def test_a_client_that_comes_back_gets_exactly_what_it_missed(
    server: RunningServer,
) -> None:
    async with chat_client(server.socket_url) as before:
        await before.ask(SLOW)
        await before.until("TEXT_MESSAGE_CONTENT")

    async with chat_client(server.socket_url, before.conversation_id) as after:
        after.seen_by(before)
        answer = await after.subscribe()
        shown = await after.finished()

        assert answer["recovered"] is True
        assert shown.endings == ["success"]
        assert shown.messages == await stored(server, before.conversation_id)


async def test_a_cursor_that_proves_nothing_gets_a_snapshot(server: RunningServer) -> None:
    async with chat_client(server.socket_url) as client:
        await client.ask("Count [[tokens=3]]")
        await client.finished()

    async with chat_client(server.socket_url, client.conversation_id) as late:
        late.cursor = {"epoch": "forged", "sequence": 7}
        answer = await late.subscribe()
        await late.receive()

        assert answer["recovered"] is False
        assert late.frames[-1]["events"][0]["type"] == "MESSAGES_SNAPSHOT"


async def test_closing_the_socket_never_stops_a_run(
    server: RunningServer, model: ModelServer
) -> None:
    async with chat_client(server.socket_url) as client:
        await client.ask("Go on alone [[tokens=20 rate=50]]")

    async with chat_client(server.socket_url, client.conversation_id) as later:
        await later.subscribe()
        shown = await later.finished()

        assert shown.endings == ["success"]
        [seen] = await model.requests_with("Go on alone")
        assert seen.outcome == "complete"


async def test_a_cancel_from_another_socket_stops_the_model_too(
    server: RunningServer, model: ModelServer
) -> None:
    async with (
        chat_client(server.socket_url) as asking,
        chat_client(server.socket_url) as stopping,
    ):
        run_id = await asking.ask(f"Stop me. {SLOW}")
        await asking.until("TEXT_MESSAGE_CONTENT")
        assert (await stopping.command("cancel", run_id=run_id))["type"] == "ok"
        shown = await asking.finished()

        assert shown.endings == ["cancelled"]
        assert shown.messages == await stored(server, asking.conversation_id)
        [seen] = await model.requests_with("Stop me.")
        assert (await model.ended(seen.number)).outcome == "left"


async def test_the_same_run_sent_twice_runs_once(server: RunningServer, model: ModelServer) -> None:
    run_id = str(uuid4())
    async with chat_client(server.socket_url) as client:
        await client.ask("Only once [[tokens=3]]", run_id=run_id)
        await client.finished()
        message = {"id": "again", "role": "user", "content": "other"}
        again = await client.command(
            "run",
            run_id=run_id,
            conversation_id=client.conversation_id,
            input={"messages": [message]},
        )

        assert again["duplicate"] is True
        assert len(await model.requests_with("Only once")) == 1


async def test_a_model_that_fails_is_told_in_words(server: RunningServer) -> None:
    async with chat_client(server.socket_url) as client:
        await client.ask("Fail [[status=401]]")
        shown = await client.finished()

        assert shown.endings == ["model_refused"]
        assert shown.messages == await stored(server, client.conversation_id)


async def test_a_killed_server_answers_after_its_restart(
    tmp_path: Path, with_model: dict[str, str]
) -> None:
    async with (
        running_server(tmp_path, **with_model) as first,
        chat_client(first.socket_url) as before,
    ):
        await before.ask("Go on [[tokens=200 rate=20]]")
        await before.until("TEXT_MESSAGE_CONTENT")
        await first.kill()

    async with (
        running_server(tmp_path, **with_model) as second,
        chat_client(second.socket_url, before.conversation_id) as after,
    ):
        answer = await after.seen_by(before).subscribe()
        shown = await after.finished()

        assert answer["recovered"] is False
        assert shown.endings == ["success"]
        assert [value["attempt"] for value in shown.resumed] == [2]
        assert shown.messages == await stored(second, before.conversation_id)
        assert [role for _, role, _ in shown.messages] == ["user", "assistant"]


async def test_a_stopped_server_warns_its_clients_and_finishes_what_it_can(
    tmp_path: Path, with_model: dict[str, str]
) -> None:
    async with (
        running_server(tmp_path, **with_model) as server,
        chat_client(server.socket_url) as client,
    ):
        await client.ask("Go on [[tokens=10 rate=20]]")
        await client.until("TEXT_MESSAGE_CONTENT")
        server.process.terminate()
        shown = await client.finished()

        assert shown.endings == ["success"]
        assert any(frame["type"] == "going_away" for frame in client.frames)


async def test_a_question_about_a_document_is_answered_with_its_source(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        document_id = await upload(server, "terms.txt", f"Terms of sale.\n\n{TERMS}\n")
        async with chat_client(server.socket_url) as client, server.client() as http:
            await client.ask("How long do refunds take?")
            shown = await client.finished()
            [[message_id, *_]] = [one for one in shown.messages if one[1] == "assistant"]
            citation = next(c for c in shown.citations[message_id] if c["quote"] == TERMS)
            passage = await http.get(
                f"/api/v1/documents/{document_id}/passages/{citation['passage_id']}"
            )

    assert citation["document_name"] == "terms.txt"
    assert TERMS in passage.json()["text"]
    assert "no language model" in shown.messages[-1][2].lower()


async def test_a_model_is_given_the_passages_and_its_citations_are_real(
    server: RunningServer, model: ModelServer
) -> None:
    await upload(server, "terms.txt", f"Terms of sale.\n\n{TERMS}\n")
    async with chat_client(server.socket_url) as client:
        await client.ask(
            "How long do refunds take? [[say=Five%20working%20days%20[1].]]".replace(
                "[1]", "%5B1%5D"
            )
        )
        shown = await client.finished()

    [seen] = await model.requests_with("How long do refunds")
    assert TERMS in seen.body
    [[citation]] = shown.citations.values()
    assert citation["quote"] in f"Terms of sale.\n\n{TERMS}\n"


async def test_a_client_of_http_resumes_after_the_last_event_it_has_seen(
    server: RunningServer,
) -> None:
    conversation_id, run_id = str(uuid4()), str(uuid4())
    message = {"id": "m", "role": "user", "content": "Count [[tokens=4]]"}
    body = {"threadId": conversation_id, "runId": run_id, "messages": [message]}
    async with server.client() as http:
        whole = await http.post("/api/v1/agui", json=body)
        told = list(events_with_ids(whole.text))
        third = told[2][0]
        url = f"/api/v1/conversations/{conversation_id}/events"
        async with http.stream("GET", url, headers={"Last-Event-ID": third}) as rest:
            again = await first_events(rest, len(told) - 3)
        repeated = await http.post("/api/v1/agui", json=body)

    assert again == told[3:]
    assert [event["type"] for _, event in events_with_ids(repeated.text)] == [
        "RUN_STARTED",
        "MESSAGES_SNAPSHOT",
        "RUN_FINISHED",
    ]


def events_with_ids(text: str) -> list[tuple[str, dict[str, object]]]:
    """Return (id, event) of a stream of events."""
    told = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        told.append((fields.get("id", ""), json.loads(fields["data"])))
    return told


async def first_events(response: httpx.Response, count: int) -> list[tuple[str, dict[str, object]]]:
    """Return so many events of a stream that goes on."""
    text = ""
    async for part in response.aiter_text():
        text += part
        if text.count("\n\n") >= count:
            break
    return events_with_ids(text)[:count]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"threadId": "x", "runId": str(uuid4()), "messages": []}, "conversation id"),
        ({"runId": str(uuid4()), "messages": []}, "threadId"),
    ],
    ids=["an id that is no UUID", "no thread"],
)
async def test_a_wrong_request_is_told_what_is_wrong(
    server: RunningServer, body: dict[str, object], field: str
) -> None:
    async with server.client() as http:
        answer = await http.post("/api/v1/agui", json=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in answer.json()["detail"]


async def test_conversations_are_listed_renamed_and_deleted(server: RunningServer) -> None:
    async with chat_client(server.socket_url) as client, server.client() as http:
        await client.ask("Count [[tokens=2]]")
        await client.finished()
        url = f"/api/v1/conversations/{client.conversation_id}"
        renamed = await http.patch(url, json={"title": "Counting"})
        listed = await http.get("/api/v1/conversations", params={"limit": 1})
        cursor = listed.json()["next_cursor"]
        rest = await http.get("/api/v1/conversations", params={"cursor": cursor})
        deleted = await http.delete(url)
        gone = await http.get(url)
        unknown = await client.command("subscribe", conversation_id=client.conversation_id)

    assert renamed.json()["title"] == "Counting"
    assert [one["id"] for one in listed.json()["conversations"]] == [client.conversation_id]
    others = [one["id"] for one in rest.json()["conversations"]]
    assert client.conversation_id not in others
    assert (deleted.status_code, gone.status_code) == (204, 404)
    assert (unknown["type"], unknown["code"]) == ("error", "not_found")


async def test_the_page_is_served_under_a_strict_policy(server: RunningServer) -> None:
    async with server.client() as http:
        page = await http.get("/")

    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


async def test_a_port_in_use_is_one_sentence(server: RunningServer, tmp_path: Path) -> None:
    port = server.url.rsplit(":", 1)[1]

    message = await failed_start(tmp_path, PORT=port)

    assert message.startswith("PORT: ")
    assert len(message.splitlines()) == 1


async def test_a_setting_out_of_range_is_named_with_what_it_allows(tmp_path: Path) -> None:
    message = await failed_start(tmp_path, RUN_SLOTS="0")

    assert message.startswith("RUN_SLOTS: ")
    assert "greater than or equal to 1" in message


async def test_a_second_server_on_the_same_data_is_refused_in_a_sentence(
    server: RunningServer,
) -> None:
    message = await failed_start(server.folder)

    assert "DATA_DIR" in message
    assert "Traceback" not in message


async def failed_start(folder: Path, **settings: str) -> str:
    """Start a server that must not come up; return what it says."""
    share_weights(folder)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "main.py"),
        cwd=folder,
        env=server_environment(folder, settings),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, errors = await process.communicate()
    assert process.returncode
    return errors.decode().strip()


async def test_a_page_of_another_site_gets_no_socket(server: RunningServer) -> None:
    with pytest.raises(Exception, match="403"):
        async with connect(server.socket_url, origin="http://evil.example", proxy=None):  # type: ignore[arg-type]
            pass


async def test_a_name_that_was_rebound_to_this_machine_gets_no_socket(
    server: RunningServer,
) -> None:
    named = {"Host": "rebound.example", "Origin": "http://rebound.example"}
    with pytest.raises(Exception, match="403"):
        async with connect(server.socket_url, additional_headers=named, proxy=None):
            pass
