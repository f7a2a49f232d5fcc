"""The stand-in speaks OpenAI's protocol well enough for OpenAI's own client."""

import json
from collections.abc import Iterator
from urllib.parse import quote
from uuid import uuid4

import httpx
import openai
import pytest

from tests.support.model_server import ModelServer, model_server, model_server_process

SEARCH = "call=search args=%7B%22question%22:%20%22Why?%22%7D"


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server_process("--models", "a,b", "--script", "say=Good%20day.") as running:
        yield running


async def complete(server: ModelServer, text: str, **more: object) -> httpx.Response:
    body = {"model": "a", "messages": [{"role": "user", "content": text}], **more}
    async with httpx.AsyncClient(base_url=server.openai_url, trust_env=False) as client:
        return await client.post("/chat/completions", json=body)


async def test_the_official_client_streams_from_it(server: ModelServer) -> None:
    async with openai.AsyncOpenAI(base_url=server.openai_url, api_key="k") as client:
        stream = await client.chat.completions.create(
            model="a",
            messages=[{"role": "user", "content": f"[[before=One%20moment. {SEARCH}]]"}],
            tools=[{"type": "function", "function": {"name": "search", "parameters": {}}}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == "One moment."
    calls = [call for choice in choices for call in choice.delta.tool_calls or ()]
    assert (
        "".join(call.function.arguments or "" for call in calls if call.function)
        == '{"question": "Why?"}'
    )
    assert choices[-1].finish_reason == "tool_calls"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 3


async def test_the_official_client_takes_a_whole_answer(server: ModelServer) -> None:
    async with openai.AsyncOpenAI(base_url=server.openai_url, api_key="k") as client:
        answer = await client.chat.completions.create(
            model="a", messages=[{"role": "user", "content": "Hello"}]
        )
    assert answer.choices[0].message.content == "Good day."


async def test_a_script_goes_on_when_its_tools_have_answered(server: ModelServer) -> None:
    calls = quote(json.dumps([[{"name": "one"}, {"name": "two"}], [{"name": "three"}]]))
    question = f"[[calls={calls} say=Got%20{{results}}.]]"
    tools = [{"type": "function", "function": {"name": "one", "parameters": {}}}]
    messages: list[dict[str, object]] = [{"role": "user", "content": question}]
    called: list[list[str]] = []
    while True:
        answer = await complete(server, "", messages=messages, tools=tools)
        message = answer.json()["choices"][0]["message"]
        if not message.get("tool_calls"):
            break
        called.append([call["function"]["name"] for call in message["tool_calls"]])
        results = [
            {"role": "tool", "tool_call_id": call["id"], "content": call["function"]["name"]}
            for call in message["tool_calls"]
        ]
        messages += [message, *results]
    assert called == [["one", "two"], ["three"]]
    assert message["content"] == "Got one two three."


async def test_a_script_may_call_as_often_as_it_is_let(server: ModelServer) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "[[call=f rounds=9 say=Enough.]]"},
        *[{"role": "assistant", "content": None, "tool_calls": [call]}] * 8,
    ]
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    ninth = (await complete(server, "", messages=messages, tools=tools)).json()
    last = (await complete(server, "", messages=messages)).json()
    assert ninth["choices"][0]["finish_reason"] == "tool_calls"
    assert last["choices"][0]["message"]["content"] == "Enough."


async def test_it_lists_its_models_in_both_ways(server: ModelServer) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        models = (await client.get("/v1/models")).json()["data"]
        tags = (await client.get("/api/tags")).json()["models"]
        lost = await client.get("/v1/nothing")
    assert [model["id"] for model in models] == [tag["name"] for tag in tags] == ["a", "b"]
    assert lost.status_code == 404


async def test_a_status_comes_with_its_headers_as_often_as_asked(server: ModelServer) -> None:
    ask = f"{uuid4().hex} [[status=429 retry_after=3 code=slow failures=1]]"
    first, second = await complete(server, ask), await complete(server, ask)
    assert (first.status_code, first.headers["retry-after"]) == (429, "3")
    assert first.json()["error"]["code"] == "slow"
    assert second.status_code == 200


async def test_a_directive_that_makes_no_sense_is_refused(server: ModelServer) -> None:
    answer = await complete(server, "[[tokans=3]]")
    assert answer.status_code == 400
    assert "tokans" in answer.text


async def test_a_client_that_leaves_is_noticed() -> None:
    body = {"stream": True, "messages": [{"role": "user", "content": "[[fault=hang at=1]]"}]}
    async with (
        model_server() as server,
        httpx.AsyncClient(base_url=server.openai_url, trust_env=False) as client,
    ):
        async with client.stream("POST", "/chat/completions", json=body) as response:
            assert response.status_code == 200
        assert (await server.ended(1)).outcome == "left"


async def test_every_token_can_say_when_it_was_sent(server: ModelServer) -> None:
    answer = await complete(server, "[[tokens=2 stamp=1]]", stream=True)
    stamps = [part[:18] for part in answer.text.split("@")[1:]]
    assert len(stamps) == 2
    assert int(stamps[0]) <= int(stamps[1])
