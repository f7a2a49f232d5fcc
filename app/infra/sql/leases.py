"""Keeps the leases of a node's runs."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from threading import Event, Thread

import structlog
from psycopg import Error

from app.infra.sql.postgres_beat import Beat, Connection
from core.ids import RunId
from core.ports.run_store import Held

# How soon a renewal that failed is tried again, as a share of the time between two.
RETRY_SHARE = 0.25
# A loop that has not run for so long is taken for dead: others shall have its runs.
LOOP_SECONDS = 30.0
# A lease counts as lost so long before it runs out, but never more than a quarter of it.
MARGIN_SECONDS = 1.0
STOP_SECONDS = 2.0

AtWork = Callable[[], Collection[RunId]]
Hear = Callable[[float, Mapping[RunId, Held]], None]
Errand = Callable[[Connection], None]
log = structlog.get_logger(__name__)


class NoLeases:
    """See `Leases`. For a database that one process has alone: nothing runs out."""

    async def keep(self, at_work: AtWork, hear: Hear) -> None:
        """See `Leases`."""
        await asyncio.Event().wait()


class PostgresLeases:
    """See `Leases`. A thread with a connection of its own does it, however busy the loop is.

    url: as DATABASE_URL has it.
    lease_seconds: how long a run is the node's after each renewal.
    beat_seconds: from one renewal to the next.
    errand: done with the same connection after each renewal; what goes wrong with it costs no
        lease.
    """

    def __init__(
        self,
        url: str,
        node: str,
        lease_seconds: float,
        beat_seconds: float,
        errand: Errand | None = None,
    ) -> None:
        self._url = url
        self._node = node
        self._lease_seconds = lease_seconds
        self._beat_seconds = beat_seconds
        self._errand = errand
        self._trusted_seconds = lease_seconds - min(MARGIN_SECONDS, lease_seconds / 4)

    async def keep(self, at_work: AtWork, hear: Hear) -> None:
        """See `Leases`. Leaving it takes at most two seconds."""
        renewal = _Renewal(self._beat(), at_work, hear, self._beat_seconds, self._errand)
        thread = Thread(target=renewal.run, name="leases", daemon=True)
        thread.start()
        try:
            while True:
                await asyncio.sleep(self._beat_seconds / 2)
                renewal.report_loss(self._trusted_seconds)
        finally:
            renewal.stop.set()
            await asyncio.to_thread(thread.join, STOP_SECONDS)

    def _beat(self) -> Beat:
        # An answer that comes when the node has given its runs up is of no use.
        return Beat(self._url, self._node, self._lease_seconds, self._trusted_seconds / 2)


class _Renewal:
    """One life of the thread, and what the loop hears of it."""

    def __init__(
        self,
        beat: Beat,
        at_work: AtWork,
        hear: Hear,
        beat_seconds: float,
        errand: Errand | None,
    ) -> None:
        self._beat = beat
        self._at_work = at_work
        self._hear = hear
        self._beat_seconds = beat_seconds
        self._errand = errand
        self._loop = asyncio.get_running_loop()
        self._loop_ran_at = time.monotonic()
        self._succeeded_at = self._loop_ran_at
        self.stop = Event()

    def run(self) -> None:
        """Renew until told to stop; the thread's work."""
        while not self.stop.is_set():
            asked_at = time.monotonic()
            is_renewed = self._loop_lives(asked_at) and self._renew(asked_at)
            if is_renewed and self._errand is not None:
                self._do(self._errand)
            self._post(self._note_that_the_loop_runs)
            pause = self._beat_seconds * (1 if is_renewed else RETRY_SHARE)
            self.stop.wait(max(0.0, asked_at + pause - time.monotonic()))
        self._beat.close()

    def report_loss(self, trusted_seconds: float) -> None:
        """Say that nothing is left of what was begun too long ago, where nothing was renewed.

        To be called in the loop.
        """
        # The thread's own note: what it posted may still wait behind this call.
        now = time.monotonic()
        if now - self._succeeded_at >= trusted_seconds:
            self._tell(now - trusted_seconds, {})

    def _loop_lives(self, now: float) -> bool:
        return now - self._loop_ran_at < LOOP_SECONDS

    def _renew(self, asked_at: float) -> bool:
        try:
            held = self._beat.renew(tuple(self._at_work()))
        except Error as error:
            log.warning("leases.not_renewed", error=type(error).__name__)
            return False
        except Exception:
            # The thread's border: without it every lease of the node would run out.
            log.exception("leases.failed")
            return False
        self._succeeded_at = asked_at
        self._post(lambda: self._tell(asked_at, held))
        return True

    def _do(self, errand: Errand) -> None:
        try:
            self._beat.do(errand)
        except Error as error:
            log.warning("leases.errand_failed", error=type(error).__name__)
        except Exception:
            # The thread's border, as above.
            log.exception("leases.errand_failed")

    def _tell(self, moment: float, held: Mapping[RunId, Held]) -> None:
        if not self.stop.is_set():
            self._hear(self._loop_time(moment), held)

    def _loop_time(self, moment: float) -> float:
        # The loop may count from elsewhere than the thread does, and its time may be that of
        # its last turn: what is older loses no run too many.
        return self._loop.time() - (time.monotonic() - moment)

    def _note_that_the_loop_runs(self) -> None:
        self._loop_ran_at = time.monotonic()

    def _post(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            # The loop is closed: the process ends.
            self.stop.set()
