"""Opens the breakers, and shows operators their numbers."""

from collections.abc import Callable, Mapping

from app.infra.resilience.breakers import CircuitCounts, PyBreakers
from app.infra.telemetry.metrics import Metrics
from core.ports.breakers import CircuitState
from core.ports.circuits import SharedCircuits

STATES = {CircuitState.CLOSED: 0.0, CircuitState.HALF_OPEN: 1.0, CircuitState.OPEN: 2.0}


def open_breakers(
    shared: SharedCircuits, metrics: Metrics, *, failures: int, open_seconds: float
) -> PyBreakers:
    """Return this node's breakers; what they share is carried by whoever opened `shared`."""
    breakers = PyBreakers(shared, failures=failures, open_seconds=open_seconds)
    _show(metrics, breakers)
    return breakers


def _show(metrics: Metrics, breakers: PyBreakers) -> None:
    readings = metrics.readings
    readings.gauges(
        "colloquy_breaker_state",
        "What stands before the outside: 0 closed, 1 half open, 2 open.",
        "breaker",
        lambda: {one.name: STATES[one.state] for one in breakers.reports()},
    )
    readings.counters(
        "colloquy_breaker_opened_total",
        "How often a breaker was seen to open, whichever node opened it.",
        "breaker",
        _count(breakers, lambda counts: counts.opened),
    )
    readings.counters(
        "colloquy_breaker_refused_total",
        "Calls of this node that were not made.",
        "breaker",
        _count(breakers, lambda counts: counts.refused),
    )
    readings.counters(
        "colloquy_breaker_probes_total",
        "Calls of this node that found out whether the outside is back.",
        "breaker",
        _count(breakers, lambda counts: counts.probes),
    )


def _count(
    breakers: PyBreakers, read: Callable[[CircuitCounts], int]
) -> Callable[[], Mapping[str, float]]:
    return lambda: {name: float(read(counts)) for name, counts in breakers.counts().items()}
