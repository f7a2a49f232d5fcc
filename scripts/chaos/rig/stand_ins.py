"""Starts what stands in for the world outside: the scripted model, and the sink of effects."""

import sys
from contextlib import AsyncExitStack
from pathlib import Path

from scripts.chaos.rig.process import RigError, RigProcess
from scripts.chaos.tools.post import SINK_VARIABLE
from scripts.cluster.log_file import LogFile
from scripts.cluster.part import Part, Places

_ROOT = Path(__file__).parents[3]
_TOOLS = _ROOT / "scripts" / "chaos" / "tools"
WEBHOOK = "sink"
"""Under this name the sink is one of the operator's webhooks, too."""


async def start_stand_ins(places: Places, effects: Path, stack: AsyncExitStack) -> dict[str, str]:
    """Start them and return the settings with which nodes use them.

    effects: the file in which the sink writes down what it did.
    """
    model = await _start("model", ("scripts.scripted_model",), places, stack)
    sink = await _start("sink", ("scripts.chaos.rig.sink", str(effects)), places, stack)
    return {
        "OPENAI_BASE_URL": f"{model}/v1",
        "OPENAI_API_KEY": "",
        "MODEL": "scripted-1",
        "TOOLS_DIR": str(_TOOLS),
        "WEBHOOKS": f"{WEBHOOK}={sink}/asked",
        SINK_VARIABLE: sink,
    }


async def _start(name: str, module: tuple[str, ...], places: Places, stack: AsyncExitStack) -> str:
    """Start a module and return its address: the first line that it prints."""
    log = LogFile(places.cluster / f"{name}.log")

    async def has_spoken() -> bool:
        return bool(log.last_words())

    command = (sys.executable, "-m", *module)
    part = Part(name, command, has_spoken, {"PYTHONPATH": str(_ROOT)}, stop_seconds=5)
    process = RigProcess(part, log)
    stack.push_async_callback(process.stop)
    await process.start()
    await process.ready()
    url = log.last_words()
    if not url.startswith("http"):
        raise RigError(f"{name} does not start: {url}")
    return url
