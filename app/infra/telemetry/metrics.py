"""Counts what happens, and writes it down in the format that Prometheus reads."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from app.infra.telemetry.readings import Readings
from core.errors import AppError
from core.runs import RunStatus

SAMPLE_SECONDS = 2.0
LAG_STEP_SECONDS = 0.25

RUN_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300)
APPEND_BUCKETS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
LAG_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

log = structlog.get_logger(__name__)


class Metrics:
    """See `Meters`. A registry of its own: what is made twice in one process counts apart.

    readings: what is looked up elsewhere whenever somebody asks.
    """

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self._samplers: list[Callable[[], Awaitable[None]]] = []
        self.readings = Readings(registry)
        self._started = Counter(
            "colloquy_runs_started_total", "Attempts that began here.", registry=registry
        )
        self._takeovers = Counter(
            "colloquy_run_takeovers_total",
            "Attempts that began here after another was lost.",
            registry=registry,
        )
        self._ended = Counter(
            "colloquy_runs_ended_total",
            "Runs whose last state was written here.",
            ["status"],
            registry=registry,
        )
        self._run_seconds = _histogram(
            registry, "colloquy_run_seconds", "From an attempt's begin to its end.", RUN_BUCKETS
        )
        self._append_seconds = _histogram(
            registry,
            "colloquy_append_seconds",
            "One write to the log, of whatever was waiting.",
            APPEND_BUCKETS,
        )
        self._fenced = Counter(
            "colloquy_fenced_writes_total",
            "Writes refused because another attempt has the run.",
            registry=registry,
        )
        self._log_restarts = Counter(
            "colloquy_log_restarts_total", "Logs that began a new epoch.", registry=registry
        )
        self._lag_seconds = _histogram(
            registry, "colloquy_loop_lag_seconds", "How late the loop was.", LAG_BUCKETS
        )
        for status in RunStatus:
            if status.is_final:
                self._ended.labels(status.value)
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)

    def run_started(self, *, is_takeover: bool) -> None:
        """See `Meters`."""
        self._started.inc()
        if is_takeover:
            self._takeovers.inc()

    def run_ended(self, status: RunStatus, seconds: float) -> None:
        """See `Meters`."""
        self._ended.labels(status.value).inc()
        self._run_seconds.observe(seconds)

    def append_took(self, seconds: float) -> None:
        """See `Meters`."""
        self._append_seconds.observe(seconds)

    def fenced(self) -> None:
        """See `Meters`."""
        self._fenced.inc()

    def log_restarted(self) -> None:
        """See `Meters`."""
        self._log_restarts.inc()

    def sample(self, take: Callable[[], Awaitable[None]]) -> None:
        """Await `take` before each text, for readings that can't be looked up at once.

        Where it fails or is late, the text comes without it.
        """
        self._samplers.append(take)

    async def text(self) -> bytes:
        """Return all numbers as they are now, in Prometheus' text format 0.0.4."""
        for take in self._samplers:
            try:
                async with asyncio.timeout(SAMPLE_SECONDS):
                    await take()
            except (AppError, TimeoutError) as error:
                log.warning("metrics.sample_failed", reason=str(error) or "late")
            except Exception:
                # Whatever is wrong with one joint, the numbers of the others are wanted now.
                log.exception("metrics.sample_failed")
        return generate_latest(self._registry)

    async def run(self) -> None:
        """Measure until cancelled how late the loop comes to what is due."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_STEP_SECONDS
            await asyncio.sleep(LAG_STEP_SECONDS)
            self._lag_seconds.observe(loop.time() - due)


def _histogram(
    registry: CollectorRegistry, name: str, meaning: str, buckets: tuple[float, ...]
) -> Histogram:
    return Histogram(name, meaning, buckets=buckets, registry=registry)
