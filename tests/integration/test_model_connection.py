"""The fast lane over real sockets: connections that are kept, closed, stale or encrypted."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from app.infra.llm.deadlines import ModelDeadlines
from app.infra.llm.endpoint import read_endpoint
from app.infra.llm.openai_chat_model import OpenAIChatModel
from app.infra.llm.retrying_chat_model import RetryingChatModel
from core.errors import ModelRefused, ModelUnavailable
from core.ports.chat_model import ChatModel, PromptMessage
from tests.support.model_server import ModelServer, model_server_process

DEADLINES = ModelDeadlines(connect=10, first_token=20, idle=20, total=60)


class Text:
    """A sink that keeps the text; its `text` may be told to fail."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.heard: list[str] = []
        self._fault = fault

    def text(self, delta: str) -> None:
        self.heard.append(delta)
        if self._fault is not None:
            raise self._fault

    def reasoning(self, delta: str) -> None:
        """Ignore it."""


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server_process() as running:
        yield running


def model_at(url: str) -> OpenAIChatModel:
    return OpenAIChatModel(read_endpoint(url, "X"), "scripted-1", deadlines=DEADLINES)


async def say(model: ChatModel, text: str) -> str:
    reply = await model.stream([PromptMessage("user", text)], Text())
    return reply.text


async def test_one_connection_serves_one_reply_after_the_other(server: ModelServer) -> None:
    model, mark = model_at(server.openai_url), uuid4().hex
    for _ in range(3):
        await say(model, f"{mark} [[tokens=2]]")
    await model.close()
    seen = await server.requests_with(mark)
    assert len(seen) == 3
    assert len({request.connection for request in seen}) == 1


async def test_a_refusal_does_not_cost_the_connection(server: ModelServer) -> None:
    model, mark = model_at(server.openai_url), uuid4().hex
    with pytest.raises(ModelRefused):
        await say(model, f"{mark} [[status=400]]")
    await say(model, f"{mark} [[tokens=2]]")
    await model.close()
    first, second = await server.requests_with(mark)
    assert first.connection == second.connection


async def test_a_connection_that_went_stale_is_replaced_at_once(server: ModelServer) -> None:
    model, mark = model_at(server.openai_url), uuid4().hex
    await say(model, f"{mark} [[tokens=1 then=reset]]")
    assert await say(model, f"{mark} [[tokens=1]]") == "word1 "
    await model.close()
    first, second = await server.requests_with(mark)
    assert first.connection != second.connection


@pytest.mark.parametrize("script", ["framing=close", "framing=close done=0", "done=0", "whole=1"])
async def test_every_way_to_send_a_reply_is_understood(server: ModelServer, script: str) -> None:
    model = model_at(server.openai_url)
    assert await say(model, f"[[tokens=2 {script}]]") == "word1 word2 "
    assert await say(model, "[[tokens=1]]") == "word1 "
    await model.close()


async def test_a_bug_of_the_sink_reaches_the_turn_and_no_other(server: ModelServer) -> None:
    model = model_at(server.openai_url)
    with pytest.raises(ZeroDivisionError):
        await model.stream([PromptMessage("user", "[[tokens=5]]")], Text(ZeroDivisionError()))
    assert await say(model, "[[tokens=1]]") == "word1 "
    await model.close()


async def test_a_failure_before_the_first_token_is_not_noticed(server: ModelServer) -> None:
    model, mark = RetryingChatModel(model_at(server.openai_url), pause_seconds=0), uuid4().hex
    assert await say(model, f"{mark} [[tokens=1 status=503 failures=2]]") == "word1 "
    assert len(await server.requests_with(mark)) == 3
    await model.close()


async def test_a_failure_after_the_first_token_is_not_repeated(server: ModelServer) -> None:
    model, mark = RetryingChatModel(model_at(server.openai_url), pause_seconds=0), uuid4().hex
    with pytest.raises(ModelUnavailable):
        await say(model, f"{mark} [[tokens=4 rate=50 fault=reset at=2 failures=1]]")
    assert len(await server.requests_with(mark)) == 1
    await model.close()


async def test_a_deadline_of_the_caller_closes_the_connection(server: ModelServer) -> None:
    model, mark = model_at(server.openai_url), uuid4().hex
    await model.warm()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await say(model, f"{mark} [[fault=hang at=0]]")
    [seen] = await server.requests_with(mark)
    assert (await server.ended(seen.number)).outcome == "left"
    await model.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the files of a certificate for 127.0.0.1 that signs itself, and of its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    return cert, key


@pytest.fixture(scope="module")
def encrypted(certificate: tuple[Path, Path]) -> Iterator[ModelServer]:
    with model_server_process("--tls", *(str(path) for path in certificate)) as running:
        yield running


async def test_a_trusted_server_is_talked_to_over_tls(
    encrypted: ModelServer, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    model = model_at(encrypted.openai_url)
    assert await say(model, "[[tokens=2]]") == "word1 word2 "
    assert await say(model, "[[say=gr%C3%BCn split=1]]") == "grün"
    await model.close()


async def test_a_server_that_nobody_vouches_for_is_refused(encrypted: ModelServer) -> None:
    model = model_at(encrypted.openai_url)
    with pytest.raises(ModelRefused, match="certificate"):
        await say(model, "[[tokens=2]]")
    await model.close()
