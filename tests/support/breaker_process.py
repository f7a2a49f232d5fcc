"""One node in a process of its own, which makes many calls at once when it is told to.

python -m tests.support.breaker_process REDIS_URL NODE OUTSIDE_PORT OPEN_SECONDS CALLS

Says `ready` once the breaker is half open, waits for a line, and then says a line for each call:
`refused`, or what the outside answered.
"""

import asyncio
import sys

from core.ports.breakers import CircuitOpen, CircuitState
from tests.support.breaker_nodes import NAME, all_are, breaker_node


async def main(url: str, node: str, port: str, open_seconds: str, calls: str) -> None:
    """Be that node."""

    async def ask() -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        try:
            return (await reader.readline()).decode().strip()
        finally:
            writer.close()

    async with breaker_node(url, node, open_seconds=float(open_seconds)) as breakers:

        async def call() -> None:
            try:
                print(await breakers.call(NAME, ask, seconds=30), flush=True)
            except CircuitOpen:
                print("refused", flush=True)

        await all_are(CircuitState.HALF_OPEN, breakers)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        async with asyncio.TaskGroup() as group:
            for _ in range(int(calls)):
                group.create_task(call())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
