"""What every list of connections must do."""

from datetime import UTC, datetime

import pytest

from app.infra.memory.presence import MemoryPresence
from core.ids import PrincipalId, TenantId
from core.ports.presence import Connection, Presence
from core.principal import Principal

TENANT = TenantId("t")
ANN = Principal(PrincipalId("ann"), TENANT)
BOB = Principal(PrincipalId("bob"), TENANT)
STRANGER = Principal(PrincipalId("ann"), TenantId("other"))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Socket:
    """Notes that it was closed."""

    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture(params=[MemoryPresence])
def presence(request: pytest.FixtureRequest) -> Presence:
    adapter: Presence = request.param()
    return adapter


def connection(
    connection_id: str, principal: Principal = ANN, subscriptions: int = 0
) -> Connection:
    return Connection(connection_id, principal, "node-1", NOON, subscriptions)


def join(presence: Presence, *connections: Connection) -> list[Socket]:
    sockets = [Socket() for _ in connections]
    for each, socket in zip(connections, sockets, strict=True):
        presence.join(each, socket.close)
    return sockets


async def test_those_who_joined_are_listed_until_they_leave(presence: Presence) -> None:
    join(presence, connection("1"), connection("2", BOB))
    assert list(await presence.connections(TENANT)) == [connection("1"), connection("2", BOB)]
    presence.leave("1")
    assert list(await presence.connections(TENANT)) == [connection("2", BOB)]


async def test_another_tenant_sees_none_of_them(presence: Presence) -> None:
    join(presence, connection("1"), connection("2", STRANGER))
    assert list(await presence.connections(TENANT)) == [connection("1")]


async def test_how_much_a_connection_reads_is_kept(presence: Presence) -> None:
    join(presence, connection("1"))
    presence.update("1", subscriptions=3)
    assert list(await presence.connections(TENANT)) == [connection("1", subscriptions=3)]


async def test_who_is_not_there_can_not_change_or_leave(presence: Presence) -> None:
    presence.update("1", subscriptions=3)
    presence.leave("1")
    assert list(await presence.connections(TENANT)) == []


async def test_all_sockets_of_a_principal_are_closed_and_no_other(presence: Presence) -> None:
    mine, also_mine, bobs, strangers = join(
        presence,
        connection("1"),
        connection("2"),
        connection("3", BOB),
        connection("4", STRANGER),
    )
    await presence.expel(ANN)
    assert [each.is_closed for each in (mine, also_mine, bobs, strangers)] == [
        True,
        True,
        False,
        False,
    ]
