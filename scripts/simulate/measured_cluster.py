"""A cluster on this machine, and what each of its parts has used."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, Final

import psycopg

from core.settings import load_settings
from scripts.bench.process import ROOT, cpu_seconds

CHECKPOINTS: Final = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
ROWS: Final = ("conversations", "messages", "runs")


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used up to a moment, or between two."""

    nodes: float
    redis: float
    postgres: float
    commits: float
    wal_bytes: float
    row_bytes: float
    checkpoint_bytes: float

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(*(getattr(self, name) - getattr(other, name) for name in self.__slots__))

    def over(self, count: float) -> "Spent":
        """Return what each of so many took."""
        return Spent(*(getattr(self, name) / count for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that runs. record: its `cluster.json`."""

    url: str
    record: Mapping[str, Any]

    @property
    def socket_url(self) -> str:
        """Where its WebSocket is, through the balancer."""
        return f"{self.url.replace('http', 'ws', 1)}/ws"

    def spent(self) -> Spent:
        """Return what its parts have used so far."""
        nodes = sum(cpu_seconds(node["pid"]) for node in self.record["nodes"])
        with psycopg.connect(self.record["postgres"]["url"], autocommit=True) as connection:
            counted = connection.execute(
                "SELECT xact_commit, pg_current_wal_lsn() - '0/0' FROM pg_stat_database"
                " WHERE datname = current_database()"
            ).fetchone()
            assert counted is not None
            sizes = [
                sum(_size(connection, table) for table in tables) for tables in (ROWS, CHECKPOINTS)
            ]
        return Spent(
            nodes,
            cpu_seconds(self.record["redis"]["pid"]),
            cpu_seconds(self.record["postgres"]["pid"]),
            *map(float, counted),
            *sizes,
        )


def _size(connection: psycopg.Connection[Any], table: str) -> float:
    row = connection.execute("SELECT pg_total_relation_size(%s)", (table,)).fetchone()
    assert row is not None
    return float(row[0])


@contextmanager
def cluster(model_url: str, nodes: int) -> Iterator[Cluster]:
    """Run a cluster with its defaults and the scripted model."""
    with tempfile.TemporaryDirectory(prefix="colloquy-fleet-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        (data / "models").symlink_to((ROOT / load_settings().data_dir / "models").resolve())
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PORT": "0",
            "DATA_DIR": str(data),
            "OPENAI_BASE_URL": model_url,
            "MODEL": "scripted-1",
            "LOG_LEVEL": "WARNING",
        }
        command = [sys.executable, "-m", "scripts.cluster", "--nodes", str(nodes)]
        with Popen(command, cwd=folder, env=environment, stdout=PIPE, text=True) as process:
            try:
                yield _started(process, data)
            finally:
                process.terminate()
                process.wait(60)


def _started(process: Popen[str], data: Path) -> Cluster:
    assert process.stdout is not None
    for line in process.stdout:
        if "http://" in line:
            record = json.loads((data / "cluster.json").read_text())
            return Cluster(record["balancer"]["url"], record)
    raise SystemExit("the cluster did not start")
