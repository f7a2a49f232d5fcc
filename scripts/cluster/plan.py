"""Decides what a cluster consists of."""

from dataclasses import dataclass

from core.settings import Settings
from scripts.cluster.balancer import Front, balancer
from scripts.cluster.index import index_store
from scripts.cluster.node import node_part
from scripts.cluster.part import ClusterError, Part, Places, Store
from scripts.cluster.ports import Ports, why_not
from scripts.cluster.postgres import postgres_store
from scripts.cluster.redis import redis_store
from scripts.cluster.secret import kept_secret

MOST_NODES = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """The cluster, its parts in the order in which they start.

    index: None where a Qdrant server is named.
    nodes: by their ports.
    """

    places: Places
    front: Front
    postgres: Store
    redis: Store
    index: Store | None
    balancer: Part
    nodes: dict[int, Part]

    @property
    def stages(self) -> list[list[Part]]:
        """What starts side by side, the first first; they end in the reverse order.

        The balancer stands before the nodes are there, and until they have ended: what they still
        say to their clients goes through it.
        """
        ours = [store.part for store in (self.postgres, self.redis) if store.part]
        index = [self.index.part] if self.index and self.index.part else []
        return [ours, [*index, self.balancer], list(self.nodes.values())]

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{self.front.address}"


def make_plan(settings: Settings, nodes: int, wanted_balancer: str = "") -> Plan:
    """Return what shall run; folders and settings of the parts are made on the way.

    Raises `ClusterError` where something that it needs can't be had.
    """
    if not 1 <= nodes <= MOST_NODES:
        raise ClusterError(f"NODES: must be from 1 to {MOST_NODES}, not {nodes}.")
    places, ports = Places(settings.data_dir.resolve()), Ports()
    port = settings.port or ports.take()
    if reason := why_not(settings.host, port):
        raise ClusterError(
            f"PORT: {settings.host}:{port} can't be used ({reason}); stop what uses it, or set "
            "another PORT."
        )
    password = kept_secret(places.cluster / "password")
    redis = redis_store(settings.redis_url.get_secret_value(), places, ports, password)
    # Two pools a node, its lone connections, and some for whoever looks in.
    connections = nodes * (2 * settings.database_pool + 10) + 40
    named_database = settings.database_url.get_secret_value()
    postgres = postgres_store(named_database, places, ports, password, connections)
    shared = {
        "DATA_DIR": str(places.data),
        "WEBSOCKET_MANAGER_TYPE": "redis",
        "REDIS_URL": redis.url,
        "DATABASE_URL": postgres.url,
    }
    index = None
    if not settings.qdrant_url:
        index = index_store(settings.index_url, places, ports)
        shared["INDEX_URL"] = index.url
    parts = {(p := ports.take()): node_part(i, p, shared) for i in range(1, nodes + 1)}
    front = Front.from_settings(settings, port, list(parts))
    stands_before = balancer(front, places, wanted_balancer)
    return Plan(places, front, postgres, redis, index, stands_before, parts)
