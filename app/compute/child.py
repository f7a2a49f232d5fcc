"""The inside of a worker process: answers questions in turn until its parent is gone.

Both directions carry frames: a length of eight bytes, then a pickle. The first one sets the process
up; then each question, a tuple of arguments, has one answer, an `Outcome` of plain values.
"""

import os
import pickle
import resource
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import BinaryIO, NoReturn

from core.errors import AppError

LENGTH = struct.Struct(">Q")

Handler = Callable[..., object]
"""Answers one question, given as its arguments, with a plain value."""

Outcome = tuple[str, object]
"""`("done", answer)`, `(code of an AppError, its message)` or `("bug", traceback)`."""

DONE = "done"
BUG = "bug"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker process may use.

    memory_bytes: of address space; None: any.
    cpu_seconds: before it is killed; None: any.
    """

    memory_bytes: int | None = None
    cpu_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """The first frame: what the process is for.

    factory: makes the handler, and may take its time; where it fails, the question is answered
        with that.
    niceness: 0 to 19; the higher, the more it makes way for others.
    """

    factory: Callable[[], Handler]
    limits: Limits
    niceness: int


def framed(content: object) -> bytes:
    """Return what goes over the pipe for a question or an answer."""
    payload = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(payload)) + payload


def main() -> None:
    """Serve on standard input and output; never returns while the parent lives."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What a library prints must not get between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    questions: SimpleQueue[bytes] = SimpleQueue()
    listener = threading.Thread(target=_listen, args=(sys.stdin.buffer, questions), daemon=True)
    listener.start()
    with suppress(BrokenPipeError):
        _serve(questions, answers)
    # Not by way of the interpreter's own end, which can't take the input from the listener.
    os._exit(0)


def _listen(source: BinaryIO, questions: SimpleQueue[bytes]) -> None:
    # A thread of its own, so that the process ends with its parent in the middle of work as well.
    while len(header := source.read(LENGTH.size)) == LENGTH.size:
        questions.put(source.read(*LENGTH.unpack(header)))
    os._exit(0)


def _serve(questions: SimpleQueue[bytes], answers: BinaryIO) -> NoReturn:
    setup = questions.get()
    made: Outcome = BUG, ""
    while True:
        question = pickle.loads(questions.get())
        if not callable(made[1]):
            # Again for each question, until what was missing is there.
            made = _outcome(_handler, setup)
        outcome = _outcome(made[1], *question) if callable(made[1]) else made
        answers.write(framed(outcome))
        answers.flush()


def _handler(setup: bytes) -> Handler:
    # Loading it imports what the factory needs, which may fail like the factory itself.
    loaded: Setup = pickle.loads(setup)
    os.setpriority(os.PRIO_PROCESS, 0, loaded.niceness)
    _limit(loaded.limits)
    return loaded.factory()


def _limit(limits: Limits) -> None:
    sizes = {
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        # What it works on must not be left behind in a dump.
        resource.RLIMIT_CORE: 0,
    }
    for kind, size in sizes.items():
        if size is not None:
            # macOS knows the limit on memory but refuses to set it.
            with suppress(ValueError, OSError):
                resource.setrlimit(kind, (size, size))


def _outcome(work: Callable[..., object], *arguments: object) -> Outcome:
    try:
        return DONE, work(*arguments)
    except AppError as error:
        return error.code, error.message
    # The border of the task: the parent logs the traceback.
    except Exception:
        return BUG, traceback.format_exc()
