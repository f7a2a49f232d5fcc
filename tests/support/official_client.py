"""AG-UI's official client, which verifies the order of every event it is given."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from typing import Any

from tests.support.colloquy import ROOT

WEB = ROOT / "web"
WAIT_SECONDS = 60


def node() -> list[str]:
    """Return the command that runs Node: the machine's, or the one that set-up installed."""
    if shutil.which("node"):
        return ["node"]
    return ["sh", str(ROOT / "scripts" / "setup" / "node.sh"), "node"]


async def converse(url: str, *questions: str) -> dict[str, Any]:
    """Return what the client holds after it asked these questions at an AG-UI address."""
    return await _run("converse.mjs", url, *questions)


async def replayed(events: Sequence[str]) -> dict[str, Any]:
    """Return what the client holds after one run's encoded events, and its fault with them."""
    return await _run("replay.mjs", said=f"[{','.join(events)}]")


async def _run(script: str, *arguments: str, said: str = "") -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *node(),
        str(WEB / "agui" / script),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(WAIT_SECONDS):
        answer, _ = await process.communicate(said.encode())
    assert process.returncode == 0
    held: dict[str, Any] = json.loads(answer)
    return held
