"""Asks the system which addresses a name has."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from core.ports.web import FetchFailed

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host at a port, best first. Raises `FetchFailed`."""

_THREADS: Final = 4


class SystemResolver:
    """Resolves as every program of this machine does: hosts file, DNS, whatever it is set up for.

    In threads of its own, so that a name server that hangs holds up other names and nothing else.
    Giving up leaves the thread to its name, at most some seconds as the system has it.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="resolver")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """See `Resolve`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _addresses, host, port)

    def close(self) -> None:
        """Take no more names; does not wait for those under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise FetchFailed(f"The name {host} is not known.") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
