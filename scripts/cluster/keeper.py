"""Keeps one part running: starts it again when it dies, and ends it in order."""

import asyncio
import contextlib
import signal
from asyncio.subprocess import Process
from collections.abc import Callable

from scripts.cluster.log_file import LogFile
from scripts.cluster.part import ClusterError, Part
from scripts.cluster.spawn import spawn

RESTART_SECONDS = 0.5
START_SECONDS = 120.0
POLL_SECONDS = 0.05

Say = Callable[[str], None]


class Keeper:
    """One part's processes, one after the other.

    changed: called when there is a new process.
    """

    def __init__(self, part: Part, log: LogFile, say: Say, changed: Callable[[], None]) -> None:
        self.part = part
        self.log = log
        self._say = say
        self._changed = changed
        self._process: Process | None = None
        self._spawning = asyncio.Lock()
        self._is_stopping = False

    @property
    def pid(self) -> int | None:
        """The present or last process; None before the first."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the part and return when it serves. Raises `ClusterError` where it never does."""
        try:
            await self._spawn()
            async with asyncio.timeout(START_SECONDS):
                await self._serves()
        except TimeoutError:
            raise ClusterError(
                f"{self.part.name} was not ready within {START_SECONDS:.0f} s; see {self.log.path}."
            ) from None
        except OSError as error:
            raise ClusterError(
                f"{self.part.name} can't be started: {error.strerror} ({self.part.command[0]})."
            ) from None

    async def watch(self) -> None:
        """Start the part again whenever it dies, half a second later; return once it is stopped."""
        while True:
            code = await self._running().wait()
            if self._is_stopping:
                return
            self._say(f"{self.part.name} ended ({_how(code)}) and is started again.")
            await self._start_again()

    async def stop(self) -> None:
        """End the part in its time, then without asking; nothing of it runs afterwards.

        Cancelling ends it at once.
        """
        async with self._spawning:
            self._is_stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        try:
            self._signal(process, self.part.stop_signal)
            async with asyncio.timeout(self.part.stop_seconds):
                await process.wait()
        except TimeoutError:
            self._say(f"{self.part.name} did not stop in time and is killed.")
        finally:
            self._signal(process, signal.SIGKILL)

    async def _serves(self) -> None:
        process = self._running()
        while not await self.part.is_ready():
            if process.returncode is not None:
                raise ClusterError(
                    f"{self.part.name} ended at its start ({_how(process.returncode)}); its last "
                    f"words, of {self.log.path}:\n{self.log.last_words()}"
                )
            await asyncio.sleep(POLL_SECONDS)

    async def _start_again(self) -> None:
        while True:
            await asyncio.sleep(RESTART_SECONDS)
            try:
                await self._spawn()
            except OSError as error:
                self._say(f"{self.part.name} can't be started now: {error.strerror}.")
            else:
                return

    async def _spawn(self) -> None:
        async with self._spawning:
            if self._is_stopping:
                return
            self.log.trim()
            with self.log.open() as output:
                self._process = await spawn(self.part, output)
        self._changed()

    def _running(self) -> Process:
        assert self._process is not None
        return self._process

    def _signal(self, process: Process, number: signal.Signals) -> None:
        # It may be gone, and waited for, in the meantime.
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
