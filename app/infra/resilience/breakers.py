"""Makes calls through the breakers that the fleet shares."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

from app.infra.resilience.circuit import Circuit, Outcome, Ticket
from core.ports.breakers import CircuitOpen, CircuitReport, CircuitState, Uncounted
from core.ports.circuits import CircuitFacts, CircuitWord, SharedCircuits

T = TypeVar("T")

NAMES_MAX = 256


@dataclass(frozen=True, slots=True)
class CircuitCounts:
    """What happened to one breaker since this process began.

    opened: how often it was seen to open, whoever opened it.
    refused, probes: calls of this node.
    """

    opened: int
    refused: int
    probes: int


class PyBreakers:
    """See `Breakers`, `StreamBreakers` and `CircuitBook`.

    A breaker is made with its first call, or when the fleet speaks of it.
    failures: how many in a row open one. open_seconds: how long it then lets nobody through.
    names_max: how many there may be; then the one that was called the longest ago is forgotten,
        first of all one that is closed and has no failures.
    """

    def __init__(
        self,
        shared: SharedCircuits,
        *,
        failures: int,
        open_seconds: float,
        names_max: int = NAMES_MAX,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._shared = shared
        self._failures = failures
        self._open_seconds = open_seconds
        self._names_max = names_max
        self._now = now
        # The one that was called last stands last.
        self._circuits: dict[str, Circuit] = {}
        shared.attach(self)

    async def call(self, name: str, work: Callable[[], Awaitable[T]], *, seconds: float) -> T:
        """See `Breakers`."""
        circuit = self._circuit(name)
        ticket = await self._admit(circuit, seconds)
        task = asyncio.current_task()
        cancellations = task.cancelling() if task else 0
        outcome = Outcome.UNKNOWN
        try:
            async with asyncio.timeout(seconds):
                result = await work()
            outcome = Outcome.WELL
            return result
        except Uncounted as answer:
            outcome = Outcome.ANSWERED
            raise answer.error from answer.error.__cause__
        except Exception:
            # Some libraries turn a cancellation into an error of their own.
            if not task or task.cancelling() == cancellations:
                outcome = Outcome.FAILED
            raise
        finally:
            self._finish(circuit, ticket, outcome)

    def answered(self, name: str) -> None:
        """See `StreamBreakers`."""
        circuit = self._circuits.get(name)
        if circuit and (told := circuit.answered()):
            self._shared.tell(name, *told)

    def reports(self) -> Sequence[CircuitReport]:
        """See `Breakers`."""
        circuits = sorted(self._circuits.values(), key=lambda circuit: circuit.name)
        return [circuit.report() for circuit in circuits]

    async def reset(self, name: str) -> bool:
        """See `Breakers`."""
        circuit = self._circuits.get(name)
        if circuit is None:
            return False
        circuit.reset()
        self._shared.tell(name, CircuitWord.RESET)
        return True

    def counts(self) -> Mapping[str, CircuitCounts]:
        """Return what happened so far, by breaker."""
        return {
            each.name: CircuitCounts(each.opened, each.refused, each.probes)
            for each in self._circuits.values()
        }

    def facts(self) -> Sequence[CircuitFacts]:
        """See `CircuitBook`."""
        return [circuit.facts() for circuit in self._circuits.values()]

    def hear(self, facts: CircuitFacts) -> None:
        """See `CircuitBook`. What is well and unknown is left out where there are many already."""
        circuit = self._circuits.get(facts.name)
        if circuit is None:
            is_well = facts.open_seconds is None and not facts.failures
            if is_well and len(self._circuits) >= self._names_max:
                return
            circuit = self._circuit(facts.name)
        circuit.hear(facts)

    def _circuit(self, name: str) -> Circuit:
        circuit = self._circuits.pop(name, None)
        if circuit is None:
            if len(self._circuits) >= self._names_max:
                self._forget_one()
            circuit = Circuit(
                name, failures=self._failures, open_seconds=self._open_seconds, now=self._now
            )
        self._circuits[name] = circuit
        return circuit

    def _forget_one(self) -> None:
        at_rest = (name for name, circuit in self._circuits.items() if circuit.is_at_rest)
        del self._circuits[next(at_rest, next(iter(self._circuits)))]

    async def _admit(self, circuit: Circuit, seconds: float) -> Ticket:
        ticket = circuit.take(seconds)
        if ticket and ticket.token:
            ticket = await self._win_probe(circuit, ticket, seconds)
        if ticket is None:
            circuit.refused += 1
            raise CircuitOpen(circuit.name, circuit.retry_after_seconds)
        return ticket

    async def _win_probe(self, circuit: Circuit, ticket: Ticket, seconds: float) -> Ticket | None:
        """Return what admits the call, after the fleet was asked; None: it may not be made.

        While it is asked, all other calls of this node are refused.
        """
        try:
            wait = await self._shared.take_probe(circuit.name, ticket.token, seconds)
        except BaseException:
            self._finish(circuit, ticket, Outcome.UNKNOWN)
            raise
        if circuit.state is CircuitState.CLOSED:
            # Others knew already that all is well.
            return circuit.take(seconds)
        if wait > 0:
            circuit.put_off(ticket, wait)
            return None
        circuit.probes += 1
        return ticket

    def _finish(self, circuit: Circuit, ticket: Ticket, outcome: Outcome) -> None:
        token = ticket.token
        if word := circuit.finish(ticket, outcome):
            self._shared.tell(circuit.name, word, token)
