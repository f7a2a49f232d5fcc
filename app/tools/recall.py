"""Says what is done with a call that an earlier attempt has begun: pure rules."""

from enum import StrEnum

from app.tools.result import Result, decoded
from core.ports.tool_ledger import CallRecord
from core.tools import Ask, Decision, Effect, Outcome

HAPPENED = "The person says that this call did happen. What it gave back is not known."
SKIPPED = "It is not known whether this call happened. The person has left it at that."
OTHER_ARGUMENTS = "Another call is on record under this one's id: it was not made."


class Next(StrEnum):
    """What has to be done. AGAIN: call once more. ASK: ask the person what became of it."""

    AGAIN = "again"
    ASK = "ask"


def recalled(record: CallRecord, arguments_hash: str, effect: Effect) -> Result | Next:
    """Return what is on record of a call, or what has to be done now.

    A write that has no result is begun, or is known to be unknown: it is the person's to decide.
    """
    if record.arguments_hash != arguments_hash:
        return Result(Outcome.FAILED, OTHER_ARGUMENTS)
    if record.result:
        return decoded(record.result)
    return Next.AGAIN if effect.is_repeatable else Next.ASK


def decided(ask: Ask) -> Result | Next:
    """Return what a person's word on an unknown call comes to."""
    match ask.decision:
        case Decision.REPEAT:
            return Next.AGAIN
        case Decision.HAPPENED:
            return Result(Outcome.DONE, HAPPENED)
        case Decision.SKIP:
            return Result(Outcome.UNKNOWN, SKIPPED)
        case _:
            return Next.ASK
