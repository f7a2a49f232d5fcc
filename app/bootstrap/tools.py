"""Opens what agents may do besides talking, and what holds it in bounds."""

import os
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields

from app.bootstrap.breakers import open_breakers
from app.bootstrap.links import Links
from app.bootstrap.storage import Storage
from app.infra.mcp.servers_file import read_servers
from app.infra.mcp.tool_source import McpToolSource
from app.infra.query.read_only_database import read_only_database
from app.infra.resilience.breakers import PyBreakers
from app.infra.sql.tools.asks import SqlAsks
from app.infra.sql.tools.ledger import SqlToolLedger
from app.infra.sql.tools.notes import SqlNotes
from app.infra.sql.tools.spending import SqlSpending
from app.infra.telemetry.metrics import Metrics
from app.tools.executor import Executor
from app.tools.registry import load_tools
from app.tools.remote import ToolShelf
from app.tools.services import Search, ToolServices
from app.turns.briefing import Budgets
from core.budgets import Budget
from core.clock import SystemClock
from core.ports.asks import AskBook
from core.ports.query import ReadOnlyDatabase
from core.ports.spending import Spending
from core.ports.web import WebFetcher, Webhooks
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class ToolHouse:
    """The tools there are, and what was asked and spent for them."""

    executor: Executor
    asks: AskBook
    spending: Spending
    background: Sequence[Callable[[], Coroutine[object, object, None]]] = ()


async def open_tools(
    settings: Settings,
    node: str,
    storage: Storage,
    breakers: PyBreakers,
    search: Search,
    stack: AsyncExitStack,
    *,
    has_model: bool,
) -> ToolHouse:
    """Return the tools; `stack` closes what they use. Raises `SettingsError`.

    has_model: whether there is a model to ask for what can't be asked for in plain words.
    """
    clock, database = SystemClock(), storage.database
    services = ToolServices(
        clock=clock,
        search=search,
        notes=SqlNotes(database, clock),
        web=_web(stack) if has_model else None,
        fetch_allowed_hosts=settings.fetch_allowed_hosts,
        webhooks=_webhooks(settings, stack),
        database=_read_only(settings),
    )
    asks = SqlAsks(database, clock, node)
    own = load_tools(settings.tools_dir)
    source = _mcp(settings, own, has_model=has_model)
    executor = Executor(
        own if source is None else ToolShelf(own, source),
        breakers,
        SqlToolLedger(database, clock, node),
        asks,
        services,
        ask_seconds=settings.ask_seconds,
    )
    background = () if source is None else (source.run,)
    return ToolHouse(executor, asks, SqlSpending(database, clock), background)


def make_breakers(settings: Settings, links: Links, metrics: Metrics) -> PyBreakers:
    """Return the breakers of this node, which are the fleet's."""
    return open_breakers(
        links.circuits,
        metrics,
        failures=settings.breaker_failures,
        open_seconds=settings.breaker_open_seconds,
    )


def budgets_of(settings: Settings) -> Budgets:
    """Return what the settings let a run, a person and a tenant use up."""
    user, tenant = _budget(settings, "user_day"), _budget(settings, "tenant_day")
    no_limit = Budget()
    return Budgets(
        run=_budget(settings, "run"),
        user_day=None if user == no_limit else user,
        tenant_day=None if tenant == no_limit else tenant,
    )


def _budget(settings: Settings, whose: str) -> Budget:
    parts = {part.name: getattr(settings, f"{whose}_{part.name}") for part in fields(Budget)}
    return Budget(**parts)


def _web(stack: AsyncExitStack) -> WebFetcher:
    # Deferred, as below: its HTTP client takes a part of a second to import.
    from app.infra.web.safe_web_fetcher import SafeWebFetcher

    fetcher = SafeWebFetcher.open()
    stack.push_async_callback(fetcher.close)
    return fetcher


def _webhooks(settings: Settings, stack: AsyncExitStack) -> Webhooks | None:
    named = settings.webhooks.get_secret_value()
    if not named:
        return None
    from app.infra.web.configured_webhooks import ConfiguredWebhooks

    webhooks = ConfiguredWebhooks.open(named)
    stack.push_async_callback(webhooks.close)
    return webhooks


def _mcp(settings: Settings, taken: Collection[str], *, has_model: bool) -> McpToolSource | None:
    """Return the tools of MCP's servers; None where there are none, or nobody to ask for them."""
    if settings.mcp_servers is None:
        return None
    servers = read_servers(settings.mcp_servers, os.environ)
    return McpToolSource(servers, taken) if has_model and servers else None


def _read_only(settings: Settings) -> ReadOnlyDatabase | None:
    url = settings.sql_tool_url.get_secret_value()
    if not url:
        return None
    own = (settings.database_path, settings.checkpoint_path)
    return read_only_database(url, own_files=own, own_url=settings.database_url.get_secret_value())
