"""Asks a process whether it serves."""

import asyncio

PROBE_SECONDS = 2.0


async def http_status(host: str, port: int, path: str) -> int | None:
    """Return the status of a GET, or None where nobody answers in time."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = await exchange(host, port, request.encode())
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None


async def accepts(host: str, port: int) -> bool:
    """Return whether somebody takes connections there."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def exchange(host: str, port: int, request: bytes, line: int = 1) -> bytes:
    """Send bytes and return one line of what comes back; nothing where nobody answers in time."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request)
                for _ in range(line - 1):
                    await reader.readline()
                return await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return b""
