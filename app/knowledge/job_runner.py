"""Does the queued jobs in the background, a bounded number at a time."""

import asyncio
from contextlib import suppress

import structlog

from app.knowledge.ingestion import Ingestion
from core.errors import StorageUnavailable
from core.ports.job_store import ClaimedJob, JobLost, JobQueue

# Restarts count too: a server that is updated while it reads a long document is no fault of it.
ATTEMPTS = 5
PAUSE_SECONDS = 1.0

log = structlog.get_logger(__name__)


class JobRunner:
    """Runs until it is cancelled; the process's task group owns it.

    slots: jobs done side by side.
    renew_seconds: how often a job under way is renewed; None where leases do not run out.
    scan_seconds: how often to look for jobs that another node was told of, or had; None where
        there is no other.
    """

    def __init__(
        self,
        queue: JobQueue,
        ingestion: Ingestion,
        slots: int = 1,
        *,
        renew_seconds: float | None = None,
        scan_seconds: float | None = None,
    ) -> None:
        self._queue = queue
        self._ingestion = ingestion
        self._slots = slots
        self._renew_seconds = renew_seconds
        self._scan_seconds = scan_seconds
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that a job was queued."""
        self._woken.set()

    async def run(self) -> None:
        """Do the jobs, also those that a stopped process left.

        Cancelling leaves the jobs under way `running`: another node does them again, or the next
        start.
        """
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
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._scan_seconds):
                        await self._woken.wait()

    async def _do(self, job: ClaimedJob) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                renewing = group.create_task(self._renew(job))
                await self._ingest(job)
                renewing.cancel()
        except* JobLost:
            # Whoever has it now goes on with what is there.
            log.info("job.lost", job_id=job.id)

    async def _renew(self, job: ClaimedJob) -> None:
        """Keep the job while it is done. Raises `JobLost`, and so ends the work on it."""
        if self._renew_seconds is None:
            return
        while True:
            await asyncio.sleep(self._renew_seconds)
            try:
                await self._queue.renew(job.id)
            except StorageUnavailable:
                log.warning("job.not_renewed", job_id=job.id)

    async def _ingest(self, job: ClaimedJob) -> None:
        if job.attempt > ATTEMPTS:
            # It may be what stops the server; it does not get to do so for ever.
            await self._ingestion.fail(job, "The server stopped each time it read this file.")
            return
        try:
            await self._ingestion.run(job)
        except JobLost:
            raise
        except Exception:
            log.exception("job.failed", job_id=job.id)
            await self._ingestion.fail(
                job, "Something went wrong on our side; the log of the server says what."
            )
