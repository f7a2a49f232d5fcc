"""Which model answers, with real servers to choose from."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from app.infra.llm.model_choice import choose_model
from core.errors import SettingsError
from core.ports.chat_model import PromptMessage
from core.settings import Settings
from tests.support.model_server import ModelServer, model_server_process

NOBODY = "http://127.0.0.1:9"


class Ignore:
    """A sink that keeps nothing."""

    def text(self, delta: str) -> None:
        """Ignore it."""

    def reasoning(self, delta: str) -> None:
        """Ignore it."""


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server_process("--models", "small,large") as running:
        yield running


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def settings(**values: object) -> Settings:
    """Return settings that depend on nothing around."""
    bare: dict[str, object] = {
        "_env_file": None,
        "model": "",
        "model_provider": "openai",
        "openai_base_url": "",
        "openai_api_key": SecretStr(""),
        "ollama_url": NOBODY,
    }
    return Settings(**{**bare, **values})  # type: ignore[arg-type]  # checked by the class itself


async def test_without_key_or_server_nothing_is_chosen() -> None:
    chosen = await choose_model(settings())
    assert (chosen.kind, chosen.model) == ("extractive", None)
    await chosen.warm()


async def test_a_named_server_and_model_are_used(server: ModelServer) -> None:
    chosen = await choose_model(settings(openai_base_url=server.openai_url, model="large"))
    assert (chosen.kind, chosen.name) == ("openai", "large")
    assert chosen.model is not None
    await chosen.warm()
    reply = await chosen.model.stream([PromptMessage("user", "[[tokens=1]]")], Ignore())
    assert reply.text == "word1 "
    assert reply.usage is not None
    assert reply.usage.provider == "openai"
    await chosen.model.close()


async def test_a_server_is_asked_for_its_model_where_none_is_named(server: ModelServer) -> None:
    chosen = await choose_model(settings(openai_base_url=server.openai_url))
    assert chosen.name == "small"


async def test_a_server_that_lists_no_models_gets_the_default() -> None:
    chosen = await choose_model(settings(openai_base_url=f"{NOBODY}/v1"))
    assert (chosen.kind, chosen.name) == ("openai", "gpt-5.4-mini")


async def test_a_key_alone_means_openai() -> None:
    chosen = await choose_model(settings(openai_api_key=SecretStr("sk-x"), model="gpt-x"))
    assert (chosen.kind, chosen.name) == ("openai", "gpt-x")


async def test_ollama_is_found_where_it_runs(server: ModelServer) -> None:
    chosen = await choose_model(settings(ollama_url=server.url))
    assert (chosen.kind, chosen.name) == ("ollama", "small")
    assert chosen.model is not None
    reply = await chosen.model.stream([PromptMessage("user", "[[tokens=1]]")], Ignore())
    assert reply.text == "word1 "
    await chosen.model.close()


async def test_a_model_of_ollama_can_be_named(server: ModelServer) -> None:
    chosen = await choose_model(settings(ollama_url=server.url, model="large"))
    assert (chosen.kind, chosen.name) == ("ollama", "large")


async def test_behind_a_proxy_langchain_does_the_talking(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The scripted server takes the request as a proxy would, with the whole URL in it.
    monkeypatch.setenv("HTTP_PROXY", server.url)
    chosen = await choose_model(settings(openai_base_url="http://model.invalid/v1", model="m"))
    assert (chosen.kind, chosen.name) == ("langchain", "m")
    assert chosen.model is not None
    reply = await chosen.model.stream([PromptMessage("user", "[[tokens=2]]")], Ignore())
    assert reply.text == "word1 word2 "
    await chosen.model.close()


async def test_an_unknown_provider_is_named() -> None:
    with pytest.raises(SettingsError, match="MODEL_PROVIDER"):
        await choose_model(settings(model_provider="nobody", model="m"))


async def test_another_provider_needs_a_model() -> None:
    with pytest.raises(SettingsError, match="MODEL:"):
        await choose_model(settings(model_provider="anthropic"))


async def test_a_wrong_url_is_named() -> None:
    with pytest.raises(SettingsError, match="OPENAI_BASE_URL"):
        await choose_model(settings(openai_base_url="localhost:8080"))


async def test_a_key_that_is_no_key_is_named() -> None:
    with pytest.raises(SettingsError, match="OPENAI_API_KEY"):
        await choose_model(settings(openai_api_key=SecretStr("sk\r\nhost: evil"), model="m"))
