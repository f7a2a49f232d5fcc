"""Decides which language model answers, from the settings and from what is running here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Final, Literal

import structlog

from app.infra.llm.deadlines import deadlines_of
from app.infra.llm.endpoint import Endpoint, needs_proxy, read_endpoint
from app.infra.llm.lenient_chat_model import LenientChatModel
from app.infra.llm.model_catalog import ollama_models, openai_models
from app.infra.llm.openai_chat_model import OpenAIChatModel
from app.infra.llm.retrying_chat_model import RetryingChatModel
from core.errors import SettingsError
from core.ports.chat_model import ChatModel
from core.settings import Settings

_log = structlog.get_logger(__name__)

_OPENAI_URL: Final = "https://api.openai.com/v1"
_DEFAULT_MODEL: Final = "gpt-5.4-mini"
_OLLAMA_SECONDS: Final = 0.3
_CATALOG_SECONDS: Final = 3.0


async def _nothing() -> None:
    """Warm nothing."""


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """The model that answers. Who gets it closes `model`.

    kind: `extractive`: there is none, and the built-in writer quotes what was found.
    model: None for `extractive`.
    warm: does the heavy imports, to be called in the background after start-up.
    """

    kind: Literal["openai", "ollama", "langchain", "extractive"]
    name: str
    model: ChatModel | None
    warm: Callable[[], Awaitable[None]] = _nothing


async def choose_model(settings: Settings) -> ChosenModel:
    """Return the model that the settings name, else what runs on this machine, else none.

    In this order: `MODEL_PROVIDER` other than `openai`; `OPENAI_BASE_URL` or `OPENAI_API_KEY`; an
    Ollama server that answers within 0.3 s at `OLLAMA_URL`. Raises `SettingsError` where what is
    named can't be had. Takes 3 s at most, without `MODEL_PROVIDER`.
    """
    chosen = await _chosen(settings)
    _log.info("model.chosen", kind=chosen.kind, model=chosen.name)
    return chosen


async def _chosen(settings: Settings) -> ChosenModel:
    if settings.model_provider == "openai_responses":
        return _openai_langchain(settings, settings.model or _DEFAULT_MODEL, responses=True)
    if settings.model_provider != "openai":
        return _langchain(settings)
    if settings.openai_base_url or _key(settings):
        return await _openai(settings)
    return await _ollama(settings)


async def _openai(settings: Settings) -> ChosenModel:
    endpoint = read_endpoint(settings.openai_base_url or _OPENAI_URL, "OPENAI_BASE_URL")
    is_proxied = needs_proxy(endpoint)
    name = settings.model or await _first_model(settings, endpoint, is_proxied=is_proxied)
    if is_proxied:
        # The fast lane connects by itself; LangChain's class goes through httpx, which knows how.
        return _openai_langchain(settings, name, responses=False)
    return _fast("openai", settings, endpoint, name, _key(settings))


async def _first_model(settings: Settings, endpoint: Endpoint, *, is_proxied: bool) -> str:
    """Return the model to use where `MODEL` is empty, and say so in the log."""
    names: list[str] = []
    if settings.openai_base_url and not is_proxied:
        names = await openai_models(endpoint, _key(settings), _CATALOG_SECONDS)
    name = names[0] if names else _DEFAULT_MODEL
    _log.warning("model.not_named", using=name, hint="set MODEL to choose another")
    return name


async def _ollama(settings: Settings) -> ChosenModel:
    endpoint = read_endpoint(settings.ollama_url, "OLLAMA_URL")
    names = await ollama_models(endpoint, _OLLAMA_SECONDS)
    name = settings.model or (names[0] if names else "")
    if names is None or not name:
        return ChosenModel("extractive", "extractive", None)
    chat = read_endpoint(f"{settings.ollama_url.rstrip('/')}/v1", "OLLAMA_URL")
    return _fast("ollama", settings, chat, name, "")


def _fast(
    kind: Literal["openai", "ollama"],
    settings: Settings,
    endpoint: Endpoint,
    name: str,
    api_key: str,
) -> ChosenModel:
    model = OpenAIChatModel(
        endpoint, name, deadlines=deadlines_of(settings), api_key=api_key, provider=kind
    )
    return ChosenModel(kind, name, RetryingChatModel(LenientChatModel(model)), model.warm)


def _openai_langchain(settings: Settings, name: str, *, responses: bool) -> ChosenModel:
    from app.infra.llm.reasoning_chat_openai import langchain_openai_model  # heavy

    model = langchain_openai_model(
        name,
        deadlines=deadlines_of(settings),
        api_key=_key(settings),
        base_url=settings.openai_base_url or None,
        responses=responses,
    )
    return ChosenModel("langchain", name, RetryingChatModel(LenientChatModel(model)))


def _langchain(settings: Settings) -> ChosenModel:
    provider = settings.model_provider
    if not settings.model:
        raise SettingsError(f"MODEL: must be set where MODEL_PROVIDER is {provider}")
    if find_spec("langchain") is None:
        raise SettingsError(
            f"MODEL_PROVIDER: {provider} needs the packages langchain and "
            f"langchain-{provider.replace('_', '-')} (uv pip install ...)"
        )
    from app.infra.llm.langchain_chat_model import LangChainChatModel  # heavy

    # By its name, because it is not installed by default.
    init_chat_model = import_module("langchain.chat_models").init_chat_model
    try:
        chat = init_chat_model(settings.model, model_provider=provider)
    except (ImportError, ValueError):
        raise SettingsError(
            f"MODEL_PROVIDER: {provider} is unknown, or its package "
            f"(langchain-{provider.replace('_', '-')}) or its key is missing"
        ) from None
    model = LangChainChatModel(
        chat, settings.model, deadlines=deadlines_of(settings), provider=provider
    )
    return ChosenModel("langchain", settings.model, RetryingChatModel(LenientChatModel(model)))


def _key(settings: Settings) -> str:
    key = settings.openai_api_key.get_secret_value().strip()
    if not (key.isascii() and key.isprintable()):
        raise SettingsError("OPENAI_API_KEY: may only have printable ASCII characters")
    return key
