"""Has a Postgres for the cluster: the one that is named, the system's, or the wheel's."""

import asyncio
import os
import signal
import time
from pathlib import Path

import psycopg

from scripts.cluster.part import Part, Places, Store
from scripts.cluster.ports import LOOPBACK, Ports
from scripts.cluster.postgres_data import ROLE, DataFolder, account_for, make_data
from scripts.cluster.postgres_programs import postgres_programs

DATABASE = "colloquy"
CONNECT_SECONDS = 2
OLD_SERVER_SECONDS = 15.0


def postgres_store(
    named: str, places: Places, ports: Ports, password: str, connections: int
) -> Store:
    """Return the Postgres of the cluster; the first time its data folder is made.

    named: DATABASE_URL; empty: one of our own.
    connections: that it must take.

    Raises `ClusterError` where there is none to start.
    """
    if named:
        return Store(named)
    path = places.cluster / "postgres"
    account = account_for(path)
    programs = postgres_programs(path, account)
    if not path.exists():
        make_data(programs, path, account, password)
    folder = DataFolder.open(path, account)
    _await_old_server(path)
    port = ports.take()
    url = f"postgresql://{ROLE}:{password}@{LOOPBACK}:{port}"
    options = {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": str(connections),
        "fsync": "on",
        "synchronous_commit": "on",
    }
    arguments = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]

    async def is_ready() -> bool:
        return await _has_database(url)

    part = Part(
        "postgres",
        (str(programs / "postgres"), "-D", folder.name, *arguments),
        is_ready,
        account=folder.account,
        folders=folder.descriptors,
        # It ends its clients' connections and writes what is open; SIGTERM waits for the clients.
        stop_signal=signal.SIGINT,
        orphan_signal=signal.SIGINT,
    )
    return Store(f"{url}/{DATABASE}", part)


def _await_old_server(folder: Path) -> None:
    """Wait for the server of a supervisor that was killed: it is told of that, and shuts down."""
    deadline = time.monotonic() + OLD_SERVER_SECONDS
    while time.monotonic() < deadline and _is_served(folder):
        time.sleep(0.05)


def _is_served(folder: Path) -> bool:
    try:
        pid = int((folder / "postmaster.pid").read_text().split()[0])
        os.kill(pid, 0)
    except (OSError, ValueError, IndexError):
        return False
    return True


async def _has_database(url: str) -> bool:
    """Return whether the server takes connections; the nodes' database is there from then on."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await psycopg.AsyncConnection.connect(
                f"{url}/postgres", autocommit=True, connect_timeout=CONNECT_SECONDS
            )
            async with connection:
                found = await connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
                )
                if await found.fetchone() is None:
                    await connection.execute(f'CREATE DATABASE "{DATABASE}"')
    except (psycopg.OperationalError, TimeoutError):
        return False
    return True
