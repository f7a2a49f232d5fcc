"""What the front doors may ask: answer this message, stop that run."""

from dataclasses import dataclass

from app.turns.runner import Runner
from core.errors import Busy
from core.failpoints import reach
from core.ids import ConversationId, RunId
from core.ports.run_store import AdmissionLimits, Admitted, RunStore
from core.principal import Principal
from core.runs import RunRequest, RunStatus

RETRY_AFTER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to a request: the message is on disk.

    duplicate: it was there already, and nothing more happens.
    """

    run_id: RunId
    conversation_id: ConversationId
    duplicate: bool


class Turns:
    """Takes messages and sees to it that each is answered once."""

    def __init__(self, runs: RunStore, runner: Runner, limits: AdmissionLimits) -> None:
        self._runs = runs
        self._runner = runner
        self._limits = limits

    async def submit(self, request: RunRequest) -> Admission:
        """Put the message on disk, let it be answered, and return.

        The same run id again is answered with the first one's admission. Raises `Busy`,
        `NotFound`, `Conflict` as `RunStore.admit` does. A caller that is cancelled meanwhile
        may have been admitted: it asks again with the same id.
        """
        if self._runner.is_closed:
            raise Busy("This node is going away.", retry_after_seconds=RETRY_AFTER_SECONDS)
        admitted = await self._runner.owned(self._admit(request))
        run = admitted.run
        return Admission(run.id, run.conversation_id, admitted.is_duplicate)

    async def _admit(self, request: RunRequest) -> Admitted:
        has_slot = self._runner.reserve()
        starts = False
        try:
            admitted = await self._runs.admit(request, self._limits, may_start=has_slot)
            starts = not admitted.is_duplicate and admitted.run.status is RunStatus.RUNNING
        finally:
            if has_slot and not starts:
                self._runner.release()
        reach("after_admit")
        if starts:
            self._runner.start(admitted.run)
        elif not admitted.is_duplicate:
            self._runner.enqueued()
        if admitted.interrupts is not None:
            await self.cancel(request.principal, admitted.interrupts)
        return admitted

    async def cancel(self, principal: Principal, run_id: RunId) -> None:
        """Stop a run of the caller's; nothing happens where it has ended. Raises `NotFound`.

        What was said so far stays. A run that waits is stopped when its turn comes.
        """
        await self._runs.request_cancel(principal, run_id)
        self._runner.stop(run_id)
