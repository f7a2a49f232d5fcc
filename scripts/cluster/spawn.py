"""Starts processes that end with the one that started them."""

import asyncio
import ctypes
import os
import signal
import sys
import warnings
from asyncio.subprocess import Process
from collections.abc import Callable
from typing import IO

from scripts.cluster.part import Part

_PR_SET_PDEATHSIG = 1
# Loaded here: the time between fork and exec is no time to load anything.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


async def spawn(part: Part, log: IO[bytes]) -> Process:
    """Start a part's process. Raises `OSError`.

    It has a session of its own: Ctrl-C reaches the supervisor alone, which ends the parts in
    order. The caller must be the main thread: the kernel takes the end of the thread that forked
    for the end of the parent.
    """
    account = part.account
    with warnings.catch_warnings():
        # What runs between fork and exec takes no lock that another thread could hold.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        return await asyncio.create_subprocess_exec(
            *part.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **part.environment},
            cwd="/" if part.folders else None,
            start_new_session=True,
            pass_fds=part.folders,
            user=account.user_id if account else None,
            group=account.group_id if account else None,
            extra_groups=[] if account else None,
            preexec_fn=_leash(part.orphan_signal),
        )


def _leash(orphan_signal: signal.Signals) -> Callable[[], None] | None:
    """Return what ties a new process to this one. Linux only: elsewhere an orphan stays."""
    libc, parent = _LIBC, os.getpid()
    if libc is None:
        return None

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(orphan_signal), 0, 0, 0)
        if os.getppid() != parent:
            # It died before the tie was there.
            os._exit(1)

    return tie
