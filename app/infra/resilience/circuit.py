"""Decides over the calls of one breaker; holds no I/O, and waits for nothing.

pybreaker counts, trips and judges probes, and is told of each call when it is over, one by one.
It is never asked to wrap a call: its decorator and `call_async` do not work with asyncio, and
its context manager takes a cancellation for a failure, lets everybody through while half-open,
and lets a call that began long ago open a breaker that has closed since.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from uuid import uuid4

import structlog
from pybreaker import (
    STATE_CLOSED,
    STATE_OPEN,
    CircuitBreaker,
    CircuitBreakerListener,
    CircuitBreakerState,
    CircuitMemoryStorage,
)

from core.ports.breakers import CircuitReport, CircuitState
from core.ports.circuits import CircuitFacts, CircuitWord

log = structlog.get_logger(__name__)


class Outcome(Enum):
    """How a call ended: well, badly, with an answer of a kind, or nobody knows."""

    WELL = auto()
    FAILED = auto()
    ANSWERED = auto()
    UNKNOWN = auto()


@dataclass(eq=False, slots=True)
class Ticket:
    """Admits one call. era: between which changes it began. token: the probe's; else empty."""

    era: int
    token: str = ""


class Circuit(CircuitBreakerListener):
    """One breaker as one node knows it.

    failures: how many in a row open it. open_seconds: how long it then lets nobody through.
    now: seconds of a clock that never goes back.
    opened, refused, probes: how often that happened, so far, as seen here.
    """

    def __init__(
        self, name: str, *, failures: int, open_seconds: float, now: Callable[[], float]
    ) -> None:
        self.name = name
        self.version = 0
        self.opened = self.refused = self.probes = 0
        self._open_seconds = open_seconds
        self._now = now
        self._storage = CircuitMemoryStorage(STATE_CLOSED)
        self._breaker = CircuitBreaker(
            failures,
            open_seconds,
            listeners=[self],
            state_storage=self._storage,
            name=name,
            throw_new_error_on_trip=False,
        )
        self._era = 0
        self._opened_at = 0.0
        self._probe: Ticket | None = None
        # Until then a probe is under way here or elsewhere, as far as this node knows.
        self._busy_until = 0.0

    @property
    def state(self) -> CircuitState:
        """Where it stands now. HALF_OPEN from the moment the next probe is due."""
        if self._storage.state == STATE_CLOSED:
            return CircuitState.CLOSED
        is_due = self._now() >= self._opened_at + self._open_seconds
        return CircuitState.HALF_OPEN if is_due else CircuitState.OPEN

    @property
    def is_at_rest(self) -> bool:
        """Whether forgetting it loses nothing."""
        return self._storage.state == STATE_CLOSED and not self._storage.counter

    @property
    def retry_after_seconds(self) -> float:
        """When a probe may be due, at the latest; 0 where it is, or none is needed."""
        now = self._now()
        match self.state:
            case CircuitState.CLOSED:
                return 0.0
            case CircuitState.OPEN:
                return self._opened_at + self._open_seconds - now
            case CircuitState.HALF_OPEN:
                return max(0.0, min(self._busy_until - now, self._open_seconds))

    def facts(self) -> CircuitFacts:
        """Return what others may know."""
        is_closed = self._storage.state == STATE_CLOSED
        open_seconds = None if is_closed else self._now() - self._opened_at
        return CircuitFacts(self.name, self._storage.counter, open_seconds, self.version)

    def report(self) -> CircuitReport:
        """Return what operators see."""
        open_seconds = self.facts().open_seconds or 0.0
        return CircuitReport(
            self.name, self.state, self._storage.counter, open_seconds, self.retry_after_seconds
        )

    def take(self, seconds: float) -> Ticket | None:
        """Return what admits a call that may take so long; None: it may not be made."""
        state = self.state
        if state is CircuitState.CLOSED:
            return Ticket(self._era)
        if state is CircuitState.OPEN or self._now() < self._busy_until:
            return None
        self._breaker.half_open()
        self._busy_until = self._now() + seconds
        self._probe = Ticket(self._era, uuid4().hex)
        return self._probe

    def put_off(self, ticket: Ticket, seconds: float) -> None:
        """Take a probe back that the fleet did not allow; nobody asks again for so long."""
        if self._probe is ticket:
            self._probe = None
            self._busy_until = self._now() + seconds

    def finish(self, ticket: Ticket, outcome: Outcome) -> CircuitWord | None:
        """Learn how a call ended; return what others must hear of it."""
        if ticket.token:
            return self._finish_probe(ticket, outcome)
        if ticket.era != self._era:
            # Admitted before it opened, or before it was closed again: that says nothing now.
            return None
        if outcome is Outcome.FAILED:
            self._count_failure()
            return CircuitWord.FAILED
        if outcome is Outcome.WELL and self._storage.counter:
            self._breaker.call(_end_well)
            return CircuitWord.RECOVERED
        return None

    def answered(self) -> tuple[CircuitWord, str] | None:
        """End the probe well that is under way here, and go on with it as with any other call."""
        if (probe := self._probe) is None:
            return None
        word, token = self._finish_probe(probe, Outcome.WELL), probe.token
        probe.era, probe.token = self._era, ""
        return (word, token) if word else None

    def reset(self) -> None:
        """Close it."""
        self._breaker.close()

    def hear(self, facts: CircuitFacts) -> None:
        """Take over what is newer than what is known here."""
        if facts.version <= self.version:
            return
        self.version = facts.version
        is_open = self._storage.state != STATE_CLOSED
        if facts.open_seconds is None:
            self._breaker.close()
        elif not is_open:
            self._breaker.open()
        if facts.open_seconds is not None:
            self._opened_at = self._now() - facts.open_seconds
        self._storage.reset_counter()
        for _ in range(facts.failures):
            self._storage.increment_counter()
        if self._probe is None:
            # Whoever had the probe may have ended it.
            self._busy_until = 0.0

    def state_change(
        self,
        cb: CircuitBreaker,
        old_state: CircuitBreakerState | None,
        new_state: CircuitBreakerState,
    ) -> None:
        """See `CircuitBreakerListener`; called by pybreaker with every change."""
        old = old_state.name if old_state else STATE_CLOSED
        if new_state.name == STATE_CLOSED:
            self._probe, self._busy_until = None, 0.0
        if new_state.name == STATE_OPEN:
            self._opened_at = self._now()
        if old != new_state.name and STATE_CLOSED in (old, new_state.name):
            self._era += 1
            self.opened += old == STATE_CLOSED
            log.warning(f"breaker.{new_state.name}", name=self.name)

    def _finish_probe(self, ticket: Ticket, outcome: Outcome) -> CircuitWord | None:
        if self._probe is not ticket:
            # It took longer than it may, or somebody closed the breaker meanwhile.
            return None
        self._probe, self._busy_until = None, 0.0
        match outcome:
            case Outcome.UNKNOWN:
                return CircuitWord.PROBE_LEFT
            case Outcome.FAILED:
                self._count_failure()
                return CircuitWord.PROBE_FAILED
            case Outcome.WELL | Outcome.ANSWERED:
                self._breaker.call(_end_well)
                return CircuitWord.PROBE_WELL

    def _count_failure(self) -> None:
        with suppress(_CallFailed):
            self._breaker.call(_end_badly)


class _CallFailed(Exception):
    """Tells pybreaker that a call failed."""


def _end_well() -> None:
    """Tell pybreaker that a call went well."""


def _end_badly() -> None:
    raise _CallFailed
