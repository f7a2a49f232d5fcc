"""Runs a real Postgres for the tests: the system's, else the one that a wheel carries."""

import os
import pwd
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from subprocess import DEVNULL, Popen, run

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from scripts.cluster.part import Account
from scripts.cluster.postgres_programs import postgres_programs

START_SECONDS = 30
STOP_SECONDS = 20
USER = "colloquy"
# A crash of the machine may lose what the tests wrote; a crash of the server does not.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "150",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "fatal",
}


class PostgresServer:
    """A server that listens on the loopback, and its databases."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder = folder
        self._programs = programs
        self._numbers = count(1)
        self._process: Popen[bytes] | None = None
        self._user = _other_user()
        self.port = _free_port()
        # Databases with all tables and no rows, for the next who needs one.
        self.spare: list[str] = []

    @property
    def pid(self) -> int:
        """The process that all its others belong to."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """Return where a database is, as DATABASE_URL has it."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database and return where it is; it goes with the server."""
        name = f"test_{next(self._numbers)}"
        self._execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever still uses it."""
        name = Identifier(url.rpartition("/")[2])
        self._execute(SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [str(self._programs / "postgres"), "-D", str(self._folder), "-p", str(self.port)]
        command += ["-k", str(self._folder)]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        self._process = Popen(
            command, user=self._user, group=self._user, stdout=DEVNULL, stderr=DEVNULL
        )
        self._wait_until_it_answers(self._process)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends its sessions, SIGQUIT is as good as a crash."""
        assert self._process is not None
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()

    def _execute(self, statement: Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)

    def _wait_until_it_answers(self, process: Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url()).close()
                return
            except psycopg.OperationalError:
                assert process.poll() is None, "Postgres ended while it started"
                assert time.monotonic() < deadline, "Postgres did not start in time"
                time.sleep(0.02)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Give a server with empty databases; it and its files are gone afterwards."""
    # Not a folder of pytest's: those are closed to the other user.
    folder = Path(tempfile.mkdtemp(prefix="colloquy-postgres-"))
    try:
        programs = _programs(folder)
        _initialise(folder, programs)
        server = PostgresServer(folder, programs)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path) -> Path:
    """Return where `postgres` and `initdb` are, for the user that runs them."""
    user = _other_user()
    account = None if user is None else Account(user, user)
    return postgres_programs(folder, account)


def _initialise(folder: Path, programs: Path) -> None:
    user = _other_user()
    if user is not None:
        shutil.chown(folder, user, user)
    command = [str(programs / "initdb"), "-D", str(folder), "-U", USER]
    command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    done = run(command, user=user, group=user, capture_output=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr.decode()


def _other_user() -> int | None:
    """Return who runs the server where we may not: Postgres refuses to run as root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
