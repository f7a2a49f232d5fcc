"""Judges a whole history and sums it up."""

from collections.abc import Iterable
from dataclasses import dataclass

from scripts.chaos.checker.delivery import Delivery
from scripts.chaos.checker.effects import Effects, Tally
from scripts.chaos.checker.outcomes import Outcomes
from scripts.chaos.checker.outside import Effect
from scripts.chaos.checker.stored import Stored
from scripts.chaos.checker.violations import Column, Findings, Violation
from scripts.chaos.history import Json, Record


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a history amounts to.

    runs: that were accepted. failed: those of them that ended with an explicit error.
    taken_over: those that took more than one attempt.
    resets: how often a client was told a snapshot because it could not be continued.
    tally: of what tools did to the outside.
    """

    runs: int
    failed: int
    taken_over: int
    resets: int
    counts: dict[Column, int]
    violations: list[Violation]
    tally: Tally

    def as_json(self) -> Json:
        """Return the verdict for another program."""
        return {
            "runs": self.runs,
            "failed": self.failed,
            "taken_over": self.taken_over,
            "resets": self.resets,
            **{column.value: self.counts[column] for column in Column},
            "effects": self.tally.as_json(),
            "violations": [str(each) for each in self.violations],
        }


def follow(records: Iterable[Record], findings: Findings) -> Delivery:
    """Return what the clients had, after every record."""
    delivery = Delivery(findings)
    for record in records:
        delivery.take(record)
    delivery.logs.judge()
    return delivery


def conversations_of(delivery: Delivery) -> list[str]:
    """Return the conversations that a history is about."""
    asked = {asked.conversation: None for asked in delivery.asked.values()}
    return list(asked | {view.conversation: None for view in delivery.views.values()})


def conclude(
    delivery: Delivery, stored: Stored, findings: Findings, outside: Iterable[Effect] = ()
) -> Verdict:
    """Compare with what is stored and with what the outside wrote down, and sum up."""
    Outcomes(delivery, stored, findings).judge()
    effects = Effects(delivery, stored, outside, findings)
    effects.judge()
    rows = [run for run in stored.runs if run.id in delivery.asked]
    counts = findings.by_column()
    return Verdict(
        runs=sum(asked.accepted is not None for asked in delivery.asked.values()),
        failed=sum(run.status == "error" for run in rows),
        taken_over=sum(run.attempt > 1 for run in rows),
        resets=sum(view.resets for view in delivery.views.values()),
        counts={column: counts[column] for column in Column},
        violations=findings.violations,
        tally=effects.tally,
    )
