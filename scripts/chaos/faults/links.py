"""Faults of the links between clients, nodes and stores, made by proxies."""

import asyncio
from functools import partial

from scripts.chaos.faults.fault import Bar, Fault
from scripts.chaos.faults.scene import Scene, wait_until
from scripts.chaos.rig.proxy import LostReplies, Proxy, Weather
from scripts.chaos.rig.rig import Node

_HIT_SECONDS = 30.0
_LOSS_SECONDS = 300.0
_LEASE_SECONDS = 4.0
# The log appends by a script.
_APPEND = b"EVALSHA"


def _proxy(node: Node, link: str) -> Proxy:
    proxy = {"redis": node.to_redis, "postgres": node.to_postgres, "client": node.to_node}[link]
    assert proxy is not None
    return proxy


async def spoil(scene: Scene, link: str, weather: Weather, seconds: float) -> None:
    """Spoil one link of the busiest node for a while."""
    node, runs = await scene.busiest()
    scene.mark(f"{weather.mode} between {node.name} and {link}", runs)
    proxy = _proxy(node, link)
    proxy.set(weather)
    await asyncio.sleep(seconds)
    proxy.set(Weather())
    await scene.over(runs, _HIT_SECONDS)


async def lose_replies(scene: Scene, count: int) -> None:
    """Lose the replies to appends, every tenth, until so many are lost."""
    runs = scene.asked()
    proxies = [_proxy(node, "redis") for node in scene.rig.nodes]
    before = sum(proxy.lost for proxy in proxies)
    scene.mark(f"{count} replies of Redis lost", runs)
    share = -(-count // len(proxies))
    for proxy in proxies:
        proxy.lose_replies(LostReplies(_APPEND, every=10, left=share))
    await wait_until(lambda: sum(proxy.lost for proxy in proxies) - before >= count, _LOSS_SECONDS)
    for proxy in proxies:
        proxy.lose_replies(None)
    lost = sum(proxy.lost for proxy in proxies) - before
    scene.notes.append(f"{lost} replies lost")
    if lost < count:
        scene.failures.append(f"only {lost} of {count} replies were lost")
    await scene.over(runs, _HIT_SECONDS)


def link_faults() -> list[Fault]:
    """Return F10 and F11."""
    weathers = (
        ("blackhole", Weather("blackhole"), 15.0),
        ("reset", Weather("reset"), 5.0),
        ("delay", Weather("delay", seconds=0.3), 10.0),
        ("throttle", Weather("throttle", bytes_per_second=4096), 10.0),
    )
    spoiled = [
        Fault(
            f"F10.{link}.{name}",
            f"{name} node - {link}",
            partial(spoil, link=link, weather=weather, seconds=seconds),
            2,
            bar=Bar(_LEASE_SECONDS + 3.0),
            needs="proxies",
        )
        for link in ("redis", "postgres", "client")
        for name, weather, seconds in weathers
    ]
    lost = partial(lose_replies, count=100)
    return [
        *spoiled,
        Fault("F11", "replies to appends lost", lost, 10, subset=1, needs="proxies"),
    ]
