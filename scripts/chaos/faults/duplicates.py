"""F12: one run, asked for by five clients at once on all nodes."""

import asyncio

from scripts.chaos.driver.addresses import Addresses
from scripts.chaos.driver.client import Client
from scripts.chaos.driver.crowd import Habits
from scripts.chaos.driver.talk import Ask
from scripts.chaos.faults.fault import Fault
from scripts.chaos.faults.scene import Scene

_TWINS = 5
_AT_ONCE = 10
_SECONDS = 120.0
_SCRIPT = "Hello there! [[tokens=5 voice=1]]"


async def ask_in_chorus(scene: Scene, runs: int) -> None:
    """Ask for so many runs, each five times in parallel on three nodes."""
    scene.mark(f"{runs} runs, each asked for {_TWINS} times", [])
    for start in range(0, runs, _AT_ONCE):
        async with asyncio.TaskGroup() as group:
            for number in range(start, min(runs, start + _AT_ONCE)):
                group.create_task(_chorus(scene, number))


async def _chorus(scene: Scene, number: int) -> None:
    twins = [_twin(scene, number, which) for which in range(_TWINS)]
    conversation = twins[0].talk.conversation_id
    first = twins[0].prepare(_SCRIPT)
    for twin in twins:
        twin.talk.conversation_id = conversation
    async with asyncio.TaskGroup() as group:
        stays = [group.create_task(twin.run()) for twin in twins]
        for twin in twins:
            await twin.until(lambda twin=twin: twin.talk.is_welcome, _SECONDS)  # type: ignore[misc]
        # Together: on every socket before any answer came.
        asks = [
            group.create_task(twin.ask(Ask(first.run_id, first.message_id, first.text), _SECONDS))
            for twin in twins
        ]
        for ask in asks:
            if not (await ask).has_ended:
                scene.failures.append(f"run {first.run_id} was not answered to all")
        for stay in stays:
            stay.cancel()


def _twin(scene: Scene, number: int, which: int) -> Client:
    node = scene.rig.nodes[which % len(scene.rig.nodes)]
    addresses = Addresses([node.socket_url], scene.chance)
    return Client(f"twin-{number}-{which}", addresses, scene.history, scene.chance)


def duplicate_faults() -> list[Fault]:
    """Return F12."""

    async def inject(scene: Scene) -> None:
        await ask_in_chorus(scene, 50)

    habits = Habits(conversations=2)
    return [Fault("F12", "one run asked for 5 times", inject, 4, subset=2, habits=habits)]
