"""Overload: more runs than there is room for, with slots, a queue and `busy`."""

from collections import deque
from dataclasses import dataclass, field
from random import Random

from scripts.simulate.costs import Costs
from scripts.simulate.event_loop import EventLoop


@dataclass(frozen=True, slots=True)
class Rush:
    """What comes, and what there is for it.

    per_second: new messages, at random times.
    run_seconds: how long an answer takes on average; half vary by more than a third.
    slots: RUN_SLOTS of all nodes together. queue: RUN_QUEUE.
    retry_after_seconds: what `busy` says; a client waits for one to two times that.
    tries: after so many refusals a client gives up.
    """

    per_second: float
    nodes: int = 3
    slots: int = 300
    queue: int = 100
    run_seconds: float = 10.0
    retry_after_seconds: float = 1.0
    tries: int = 5
    seconds: float = 120.0


@dataclass(slots=True)
class RushOutcome:
    """What became of the messages.

    came: how many people sent one. admitted: of these; gave_up: of these. refusals: `busy` answers.
    waits: seconds in the queue, of all that were begun.
    most_at_work, most_queued: at any one time.
    bytes_at_work: what the runs at work took of all nodes' memory at the worst moment.
    """

    came: int = 0
    admitted: int = 0
    gave_up: int = 0
    refusals: int = 0
    done: int = 0
    waits: list[float] = field(default_factory=list)
    most_at_work: int = 0
    most_queued: int = 0
    bytes_at_work: float = 0.0


class RushWorld:
    """Clients, slots and a queue; made with a seed, and run once."""

    def __init__(self, rush: Rush, costs: Costs, seed: int) -> None:
        self._rush = rush
        self._costs = costs
        self._random = Random(seed)
        self._loop = EventLoop()
        self._at_work = 0
        self._queued: deque[float] = deque()
        self.outcome = RushOutcome()

    def run(self) -> RushOutcome:
        """Let people come for the rush's seconds, and return what had happened by then."""
        self._next()
        self._loop.run(until=self._rush.seconds)
        self.outcome.bytes_at_work = self.outcome.most_at_work * self._costs.run_bytes
        return self.outcome

    def _next(self) -> None:
        def come() -> None:
            self.outcome.came += 1
            self._ask(self._rush.tries)
            self._next()

        self._loop.after(self._random.expovariate(self._rush.per_second), come)

    def _ask(self, tries: int) -> None:
        if self._at_work < self._rush.slots:
            self.outcome.admitted += 1
            self._begin(self._loop.now)
        elif len(self._queued) < self._rush.queue:
            self.outcome.admitted += 1
            self._queued.append(self._loop.now)
            self.outcome.most_queued = max(self.outcome.most_queued, len(self._queued))
        else:
            self._refuse(tries - 1)

    def _refuse(self, tries: int) -> None:
        self.outcome.refusals += 1
        if tries == 0:
            self.outcome.gave_up += 1
            return
        pause = self._rush.retry_after_seconds * self._random.uniform(1, 2)
        self._loop.after(pause, lambda: self._ask(tries))

    def _begin(self, asked_at: float) -> None:
        self.outcome.waits.append(self._loop.now - asked_at)
        self._at_work += 1
        self.outcome.most_at_work = max(self.outcome.most_at_work, self._at_work)
        # A mean of `run_seconds`: exp(mu + sigma²/2) with sigma 0.5.
        seconds = self._rush.run_seconds * self._random.lognormvariate(-0.125, 0.5)
        self._loop.after(seconds, self._end)

    def _end(self) -> None:
        self.outcome.done += 1
        self._at_work -= 1
        if self._queued:
            self._begin(self._queued.popleft())


def rushed(rush: Rush, costs: Costs, seed: int = 1) -> RushOutcome:
    """Return what became of a rush."""
    return RushWorld(rush, costs, seed).run()
