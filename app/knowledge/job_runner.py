"""Does the queued jobs in the background, a bounded number at a time."""

import asyncio

import structlog

from app.knowledge.ingestion import Ingestion
from core.ports.job_store import ClaimedJob, JobQueue

# Restarts count too: a server that is updated while it reads a long document is no fault of it.
ATTEMPTS = 5
PAUSE_SECONDS = 1.0

log = structlog.get_logger(__name__)


class JobRunner:
    """Runs until it is cancelled; the process's task group owns it.

    slots: jobs done side by side.
    """

    def __init__(self, queue: JobQueue, ingestion: Ingestion, slots: int = 1) -> None:
        self._queue = queue
        self._ingestion = ingestion
        self._slots = slots
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that a job was queued."""
        self._woken.set()

    async def run(self) -> None:
        """Do the jobs, first those that a stopped process left queued or running.

        Cancelling leaves the jobs under way `running`: the next start does them again.
        """
        waiting = await self._queue.reopen()
        if waiting:
            log.info("jobs.reopened", waiting=waiting)
        async with asyncio.TaskGroup() as group:
            for _ in range(self._slots):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            # Cleared before looking: a job queued after the look sets it again.
            self._woken.clear()
            try:
                job = await self._queue.claim()
                if job is not None:
                    await self._do(job)
            except Exception:
                # The store itself failed: the other slots, and the server, go on.
                log.exception("jobs.stopped")
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if job is None:
                await self._woken.wait()

    async def _do(self, job: ClaimedJob) -> None:
        if job.attempt > ATTEMPTS:
            # It may be what stops the server; it does not get to do so for ever.
            await self._ingestion.fail(job, "The server stopped each time it read this file.")
            return
        try:
            await self._ingestion.run(job)
        except Exception:
            log.exception("job.failed", job_id=job.id)
            await self._ingestion.fail(
                job, "Something went wrong on our side; the log of the server says what."
            )
