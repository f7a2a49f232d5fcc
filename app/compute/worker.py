"""A worker process, seen from the event loop: one question, one answer, or it is dead.

Built on asyncio's own subprocesses. `multiprocessing` and `concurrent.futures` block a thread on
each process and can't stop one call without breaking the pool; `anyio.to_process` can, but keeps no
model loaded, gives no call a process of its own, and hands the child our whole environment, with
every key in it.
"""

import asyncio
import io
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress

from app.compute.child import LENGTH, Handler, Limits, Outcome, Setup, framed

# An answer is a document's text at most.
MAX_ANSWER_BYTES = 256 * 1024 * 1024
BUFFER_BYTES = 1024 * 1024

_CODE = "from app.compute.child import main; main()"
# All that a child gets of our environment: a file that takes its reader over finds no keys.
_KEPT = frozenset({"HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "VIRTUAL_ENV"})
_TUNING = {
    # One thread a process; processes share the cores.
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # A model's weights in large pages: a question takes 8 % less time (measured, virtual machine).
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


class WorkerDied(Exception):
    """The process ended, or broke the protocol, before it answered."""


class Worker:
    """A process that is started with the first question and again after it died.

    factory: makes, in the process, what answers the questions; both must be picklable by name.
    answer_seconds: how long it may be busy with one question, its start included.
    """

    def __init__(
        self,
        factory: Callable[[], Handler],
        *,
        answer_seconds: float,
        limits: Limits | None = None,
        niceness: int = 0,
    ) -> None:
        self._setup = Setup(factory, limits or Limits(), niceness)
        self._answer_seconds = answer_seconds
        self._child: _Child | None = None
        self._turn = asyncio.Lock()
        self._closed = False

    async def ask(self, *question: object) -> Outcome:
        """Return what became of a question; others wait for their turn.

        Raises `WorkerDied`, or `TimeoutError` once the process was busy for too long, which ends
        it. Cancelling leaves the process at work: what it answers is thrown away, and whoever asks
        next waits for that.
        """
        async with self._turn:
            child = await self._running()
            try:
                async with asyncio.timeout_at(child.busy_since() + self._answer_seconds):
                    return await child.answer(question)
            except (TimeoutError, WorkerDied):
                await self._stop()
                raise

    async def close(self) -> None:
        """End the process, at work or not. No question may follow."""
        self._closed = True
        await self._stop()

    async def _running(self) -> "_Child":
        if self._closed:
            raise WorkerDied("closed")
        if self._child is not None and not self._child.is_alive():
            await self._stop()
        if self._child is None:
            child = await _Child.started(self._setup)
            if self._closed:
                # It came too late for `close` to see it.
                await child.stop()
                raise WorkerDied("closed")
            self._child = child
        return self._child

    async def _stop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.stop()


class _Child:
    """One life of a worker's process."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._questions = process.stdin
        self._answers = process.stdout
        self._busy_since: float | None = None
        # Kept over a cancelled read, which may come between a length and what it announces.
        self._length: int | None = None

    @classmethod
    async def started(cls, setup: Setup) -> "_Child":
        frame = framed(setup)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _CODE,
            stdin=PIPE,
            stdout=PIPE,
            limit=BUFFER_BYTES,
            env=_environment(),
            # Ctrl-C in the terminal is for the server, which still has work for the child.
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(frame)
        return cls(process)

    def is_alive(self) -> bool:
        return self._process.returncode is None and not self._answers.at_eof()

    def busy_since(self) -> float:
        """Return when it began what it is at now, by the loop's clock; now, if it is idle."""
        if self._busy_since is None:
            return asyncio.get_running_loop().time()
        return self._busy_since

    async def answer(self, question: tuple[object, ...]) -> Outcome:
        frame = framed(question)
        try:
            if self._busy_since is not None:
                # What it says to a question that was cancelled. Not asked before that is there, so
                # that however many are cancelled, one waits for one other only.
                await self._next()
            self._busy_since = self.busy_since()
            self._questions.write(frame)
            await self._questions.drain()
            return await self._next()
        except (asyncio.IncompleteReadError, ConnectionError, pickle.UnpicklingError) as error:
            raise WorkerDied(type(error).__name__) from error

    async def stop(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        self._questions.close()
        await self._process.wait()

    async def _next(self) -> Outcome:
        if self._length is None:
            (self._length,) = LENGTH.unpack(await self._answers.readexactly(LENGTH.size))
        if self._length > MAX_ANSWER_BYTES:
            raise WorkerDied("an answer is too long")
        payload = await self._answers.readexactly(self._length)
        self._length = self._busy_since = None
        kind, content = _PlainUnpickler(io.BytesIO(payload)).load()
        return kind, content


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key in _KEPT}
    # The child finds the same modules from wherever it runs.
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    return {**kept, **_TUNING, "PYTHONPATH": path}


class _PlainUnpickler(pickle.Unpickler):
    """Knows no class, so that a reader which a file has taken over can't run code here."""

    def find_class(self, module: str, name: str, /) -> object:
        raise pickle.UnpicklingError(f"{module}.{name} is not a plain value")
