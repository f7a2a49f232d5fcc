"""What worker processes do in tests: they hang, die and misbehave when they are told."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import ModelUnavailable
from tests.support.fake_compute import HashingEmbedder


def obedient_desk() -> Callable[[str, object], object]:
    """Return what does as it is told; to be asked with a verb and what it needs."""
    return lambda verb, thing: _VERBS[verb](thing)


def crowded_desk() -> Callable[[str, object], object]:
    """Never return: the process ends while it is made."""
    os._exit(3)


class ObedientEmbedder(HashingEmbedder):
    """Waits at a pipe for a text `wait <path>`, and dies of the text `die`."""

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        for text in texts:
            verb, _, path = text.partition(" ")
            if verb == "wait":
                _wait(path)
            elif verb == "die":
                os._exit(3)
        return super().embed(texts)


def embedder_where(path: Path) -> HashingEmbedder:
    """Return an embedder if there is a file at `path`, as one that needs its weights."""
    if not path.exists():
        raise ModelUnavailable("There are no weights.")
    return HashingEmbedder()


def _wait(path: object) -> str:
    # Opening the pipe tells the test that we are here; reading waits for what it writes.
    with open(str(path)) as pipe:
        return pipe.read()


def _fail(thing: object) -> object:
    raise ValueError(thing)


def _refuse(thing: object) -> object:
    raise ModelUnavailable(str(thing))


_VERBS: dict[str, Callable[[object], object]] = {
    "echo": lambda thing: thing,
    "print": lambda thing: print(thing, flush=True),
    "wait": _wait,
    "hang": lambda _thing: _wait("/dev/zero"),
    "die": lambda _thing: os._exit(3),
    "fail": _fail,
    "refuse": _refuse,
    "process": lambda _thing: os.getpid(),
    "environment": lambda _thing: dict(os.environ),
    "take": lambda thing: len(bytearray(int(str(thing)))),
    "modules": lambda _thing: list(sys.modules),
    "path": lambda thing: Path(str(thing)),
}
