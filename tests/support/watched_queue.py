"""A queue of jobs that wakes those who wait for a change."""

import asyncio

from core.ids import JobId
from core.ports.job_store import ClaimedJob, JobQueue, ReadFacts


class WatchedQueue:
    """See `JobQueue`. changed: set at the next change, and then another event stands here."""

    def __init__(self, queue: JobQueue) -> None:
        self.changed = asyncio.Event()
        self._queue = queue

    async def claim(self) -> ClaimedJob | None:
        return await self._queue.claim()

    async def renew(self, job_id: JobId) -> bool:
        return self._tell(await self._queue.renew(job_id))

    async def report(self, job_id: JobId, stage: str, progress: float) -> bool:
        return self._tell(await self._queue.report(job_id, stage, progress))

    async def succeed(self, job_id: JobId, facts: ReadFacts) -> bool:
        return self._tell(await self._queue.succeed(job_id, facts))

    async def fail(self, job_id: JobId, error: str) -> bool:
        return self._tell(await self._queue.fail(job_id, error))

    def _tell(self, answer: bool) -> bool:
        self.changed.set()
        self.changed = asyncio.Event()
        return answer
