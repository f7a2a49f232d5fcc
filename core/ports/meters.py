"""The port that counts what happens to runs, for those who watch a node."""

from typing import Protocol

from core.runs import RunStatus


class Meters(Protocol):
    """Counts. Every call is cheap, synchronous and never fails; none is made for a token."""

    def run_started(self, *, is_takeover: bool) -> None:
        """Count an attempt that begins here. is_takeover: another attempt was lost before it."""
        ...

    def run_ended(self, status: RunStatus, seconds: float) -> None:
        """Count a run whose last state was written here, so long after its attempt began."""
        ...

    def append_took(self, seconds: float) -> None:
        """Count one write to the log, of whatever was waiting, with the time until it was safe."""
        ...

    def fenced(self) -> None:
        """Count a write that was refused because another attempt has the run."""
        ...

    def log_restarted(self) -> None:
        """Count a log that began a new epoch, because nobody knew which numbers were given."""
        ...


class NoMeters:
    """See `Meters`; counts nothing."""

    def run_started(self, *, is_takeover: bool) -> None:
        """See `Meters`."""

    def run_ended(self, status: RunStatus, seconds: float) -> None:
        """See `Meters`."""

    def append_took(self, seconds: float) -> None:
        """See `Meters`."""

    def fenced(self) -> None:
        """See `Meters`."""

    def log_restarted(self) -> None:
        """See `Meters`."""
