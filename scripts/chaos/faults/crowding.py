"""F17, F18: many sockets of a node that dies; many that come late."""

import asyncio
import time
from collections.abc import Sequence

from scripts.chaos.driver.addresses import Addresses
from scripts.chaos.driver.client import Client
from scripts.chaos.driver.crowd import Habits
from scripts.chaos.faults.fault import Fault
from scripts.chaos.faults.scene import Scene
from scripts.chaos.pauses import spread_of

_SOCKETS = 500
_OPENED_AT_ONCE = 50
_PATIENCE_SECONDS = 30.0


async def storm(scene: Scene) -> None:
    """Kill a node that has 500 sockets, and see how soon they are somewhere else."""
    node = scene.rig.nodes[0]
    urls = [each.socket_url for each in scene.rig.nodes]
    conversation = await _quiet_conversation(scene)
    guests = [
        Client(
            f"guest-{number}",
            Addresses(urls, scene.chance, first=node.socket_url),
            scene.history,
            scene.chance,
            conversation,
        )
        for number in range(_SOCKETS)
    ]
    async with asyncio.TaskGroup() as group:
        stays = []
        for start in range(0, len(guests), _OPENED_AT_ONCE):
            some = guests[start : start + _OPENED_AT_ONCE]
            stays += [group.create_task(guest.run()) for guest in some]
            await _all_live(some)
        scene.mark(f"SIGKILL {node.socket_url}", [])
        await node.process.kill()
        back = await _times_until_back(guests)
        for stay in stays:
            stay.cancel()
    await scene.rig.restart(node)
    spread = spread_of(back)
    late = sum(seconds > 6.0 for seconds in back) + _SOCKETS - len(back)
    scene.notes.append(
        f"{len(back)} of {_SOCKETS} sockets came back, p95 {spread.p95 or 0:.1f} s, the last after "
        f"{spread.longest or 0:.1f} s (bar 15); {late} took longer than 6 s (bar {_SOCKETS // 20})"
    )
    if len(back) < _SOCKETS:
        scene.failures.append(f"{_SOCKETS - len(back)} sockets never came back")


async def join_late(scene: Scene, count: int = 25) -> None:
    """Open conversations once more at random moments, and stay to their end."""
    first_paints: list[float] = []
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            await asyncio.sleep(0.2 * scene.chance.random())
            if scene.crowd.circles:
                group.create_task(_join(scene, first_paints))
    spread = spread_of(first_paints)
    scene.notes.append(f"everything on the page after p95 {spread.p95 or 0:.3f} s (bar 0.3)")


async def _join(scene: Scene, first_paints: list[float]) -> None:
    circle = scene.chance.choice(scene.crowd.circles)
    client = scene.crowd.client("late", circle.person.talk.conversation_id)
    begun = time.monotonic()
    circle.add(client)
    if await client.until(lambda: client.talk.has_all, _PATIENCE_SECONDS):
        first_paints.append(time.monotonic() - begun)


async def _quiet_conversation(scene: Scene) -> str:
    """Say one thing in a new conversation and return it: nothing more is said there."""
    person = scene.crowd.client("host")
    async with asyncio.TaskGroup() as group:
        stays = group.create_task(person.run())
        await person.ask(person.prepare("Hello there! [[tokens=20 voice=1]]"), _PATIENCE_SECONDS)
        stays.cancel()
    return person.talk.conversation_id


async def _all_live(guests: Sequence[Client]) -> None:
    for guest in guests:
        await guest.until(lambda guest=guest: guest.talk.has_all, _PATIENCE_SECONDS)  # type: ignore[misc]


async def _times_until_back(guests: Sequence[Client]) -> list[float]:
    """Return for each that came back how long it took."""
    begun = time.monotonic()
    back: list[float] = []

    async def one(guest: Client) -> None:
        if await guest.until(lambda: not guest.is_live, _PATIENCE_SECONDS) and await guest.until(
            lambda: guest.is_live, _PATIENCE_SECONDS
        ):
            back.append(time.monotonic() - begun)

    async with asyncio.TaskGroup() as group:
        for guest in guests:
            group.create_task(one(guest))
    return back


def crowd_faults() -> list[Fault]:
    """Return F17 and F18."""
    few = Habits(conversations=2)
    return [
        Fault("F17", "500 sockets of a killed node", storm, 1, habits=few),
        Fault("F18", "25 late readers", join_late, 20, habits=Habits(conversations=4)),
    ]
