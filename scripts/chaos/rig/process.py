"""One process of the rig, which is killed, stopped and started again as the faults want."""

import asyncio
import contextlib
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Mapping
from dataclasses import replace

from scripts.cluster.log_file import LogFile
from scripts.cluster.part import Part
from scripts.cluster.spawn import spawn

START_SECONDS = 60.0
_POLL_SECONDS = 0.03
_ENDING = (signal.SIGKILL, signal.SIGTERM, signal.SIGQUIT)


class RigError(Exception):
    """The rig itself does not work; says why."""


class RigProcess:
    """A part and its present process; every signal goes to that process alone, by its id.

    crashes: how often it was found to have ended though nobody had asked it to. SIGKILL is no
        crash: at a named line a node does that to itself.
    """

    def __init__(self, part: Part, log: LogFile) -> None:
        self.part = part
        self.log = log
        self._process: Process | None = None
        self._is_to_end = False
        self.crashes = 0

    @property
    def pid(self) -> int:
        """The present or last process."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_up(self) -> bool:
        """Whether the process is there, whatever it does."""
        return self._process is not None and self._process.returncode is None

    async def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it, with these settings added this one time; `ready` waits for it."""
        self._note_crash()
        with self.log.open() as output:
            part = replace(self.part, environment={**self.part.environment, **(environment or {})})
            self._process = await spawn(part, output)

    async def ready(self) -> None:
        """Return when it serves. Raises `RigError` where it ends, or never does."""
        deadline = time.monotonic() + START_SECONDS
        while not await self.part.is_ready():
            if not self.is_up or time.monotonic() > deadline:
                raise RigError(f"{self.part.name} does not start: {self.log.last_words()}")
            await asyncio.sleep(_POLL_SECONDS)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if the process is there."""
        if self._process is not None and self.is_up:
            self._is_to_end = self._is_to_end or number in _ENDING
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def ended(self, seconds: float) -> float | None:
        """Wait for its end and return how long that took; None where it is still there."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                if self._process is not None:
                    await self._process.wait()
        except TimeoutError:
            return None
        return time.monotonic() - begun

    async def kill(self) -> None:
        """End it as a crash does."""
        self.send(signal.SIGKILL)
        await self.ended(10)

    async def stop(self) -> None:
        """End it in its time, then without asking."""
        self.send(signal.SIGCONT)
        self.send(self.part.stop_signal)
        if await self.ended(self.part.stop_seconds) is None:
            await self.kill()

    def _note_crash(self) -> None:
        status = None if self._process is None else self._process.returncode
        is_known = status is None or status == -signal.SIGKILL or self._is_to_end
        self.crashes += not is_known
        self._is_to_end = False
