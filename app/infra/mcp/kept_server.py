"""One server that is kept connected: looked for until it is there, and again when it is gone."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog
from mcp import McpError
from mcp.types import CallToolResult, Tool
from pydantic import JsonValue

from app.infra.mcp.configured_server import ConfiguredServer
from app.infra.mcp.connection import connected
from app.infra.mcp.link import Link, NotSent
from core.ports.tool_source import SourceUnavailable

log = structlog.get_logger(__name__)

# A program may be fetched from a registry before it starts.
HANDSHAKE_SECONDS: Final = 60.0
RETURN_SECONDS: Final = 5.0
"""How long a call waits for a server that was there a moment ago."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How patiently a server is looked for.

    first_pause_seconds: after the first failure; it doubles up to longest_pause_seconds.
    look_seconds: between two looks at a server that says nothing.
    steady_seconds: a connection that lasted so long was a good one.
    """

    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 30.0
    look_seconds: float = 30.0
    steady_seconds: float = 10.0


class KeptServer:
    """The connection to one server. changed: called when its tools are others now."""

    def __init__(
        self,
        server: ConfiguredServer,
        answer_seconds: float,
        pace: Pace,
        changed: Callable[[], None],
    ) -> None:
        self._server = server
        self._answer_seconds = answer_seconds
        self._pace = pace
        self._changed = changed
        self._link: Link | None = None
        # Whether it may be back in a moment, and what is set when that is known.
        self._may_return = False
        self._tried = asyncio.Event()
        self._was_there = False
        self._is_told_away = False
        self.tools: Sequence[Tool] = ()

    async def call(self, tool: str, arguments: dict[str, JsonValue]) -> CallToolResult:
        """See `Link.call`; a server that was started anew is called again, as nothing happened."""
        link = await self._link_after(None)
        try:
            return await link.call(tool, arguments)
        except NotSent:
            pass
        link = await self._link_after(link)
        try:
            return await link.call(tool, arguments)
        except NotSent:
            link.break_off()
            raise self._away() from None

    async def keep(self) -> None:
        """Connect, and connect again, until cancelled."""
        now = asyncio.get_running_loop().time
        task = asyncio.current_task()
        failures = 0
        try:
            # The official client may raise an error of its own in place of a cancellation.
            while not (task and task.cancelling()):
                began = now()
                self._may_return = failures == 0
                await self._live()
                lasted = self._was_there and now() - began >= self._pace.steady_seconds
                failures = 0 if lasted else failures + 1
                if failures:
                    self._give_up_waiting()
                    await asyncio.sleep(self._pause(failures))
        finally:
            self._give_up_waiting()
        raise asyncio.CancelledError

    async def _live(self) -> None:
        """Be connected once, from the first attempt to the end."""
        self._was_there = False
        wake = asyncio.Event()
        try:
            async with connected(self._server, self._answer_seconds, wake.set) as session:
                async with asyncio.timeout(HANDSHAKE_SECONDS):
                    await session.initialize()
                link = Link(self._server.name, session, wake)
                try:
                    await self._serve(link, wake)
                finally:
                    # Before the goodbye, which may take a while.
                    self._part_with(link)
        # The border of the server's task: whatever is wrong with it, the others go on.
        except Exception as error:
            self._tell_away(_reason(error))
        finally:
            if not self._was_there:
                self._give_up_waiting()

    async def _serve(self, link: Link, wake: asyncio.Event) -> None:
        await self._list(link)
        self._link = link
        self._was_there = True
        self._is_told_away = False
        self._tried.set()
        log.info("mcp.connected", server=self._server.name, tools=len(self.tools))
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(link.tell_cancelled())
            await self._watch(link, wake)
            telling.cancel()

    async def _watch(self, link: Link, wake: asyncio.Event) -> None:
        """Look at the server now and then, and whenever there is a reason; return when it broke."""
        while not link.is_broken:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.look_seconds):
                    await wake.wait()
            if link.is_broken or (link.is_busy and not wake.is_set()):
                continue
            wake.clear()
            try:
                await self._list(link)
            except TimeoutError:
                if not link.is_busy:
                    raise

    async def _list(self, link: Link) -> None:
        tools = await link.tools()
        if tools != self.tools:
            self.tools = tools
            self._changed()

    async def _link_after(self, lost: Link | None) -> Link:
        """Return a connection other than `lost`, which is of no use; waits a little for one.

        Raises `SourceUnavailable`.
        """
        if lost is not None and self._link is lost:
            lost.break_off()
            self._part_with(lost)
        if self._link is None and self._may_return:
            with suppress(TimeoutError):
                async with asyncio.timeout(RETURN_SECONDS):
                    await self._tried.wait()
        if self._link is None:
            raise self._away()
        return self._link

    def _part_with(self, link: Link) -> None:
        link.close()
        if self._link is link:
            self._link = None
            self._may_return = True
            self._tried.clear()

    def _give_up_waiting(self) -> None:
        self._may_return = False
        self._tried.set()

    def _pause(self, failures: int) -> float:
        longest = self._pace.longest_pause_seconds
        pause = self._pace.first_pause_seconds * 2.0 ** min(failures - 1, 20)
        return random.uniform(0.5, 1) * min(pause, longest)

    def _tell_away(self, reason: str) -> None:
        if not self._is_told_away:
            log.warning("mcp.away", server=self._server.name, reason=reason)
        self._is_told_away = True

    def _away(self) -> SourceUnavailable:
        return SourceUnavailable(f"The server “{self._server.name}” is not there now.")


def _reason(error: BaseException) -> str:
    """Return what is wrong, without what may be a secret: an address, a header."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, McpError):
        return error.error.message[:200]
    return type(error).__name__
