"""Describes one process of the cluster."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


class ClusterError(Exception):
    """The cluster can't run; says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user that a process runs as."""

    user_id: int
    group_id: int


@dataclass(frozen=True, slots=True)
class Part:
    """One process: what it is, when it serves, and how it is ended.

    name: of the part and of its log.
    environment: added to the supervisor's own.
    account: None: the supervisor's own.
    folders: descriptors that the process inherits.
    stop_signal: asks it to finish; it has `stop_seconds` for that.
    orphan_signal: what the kernel sends where the supervisor dies without a word.
    """

    name: str
    command: tuple[str, ...]
    is_ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    folders: tuple[int, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    orphan_signal: signal.Signals = signal.SIGTERM


@dataclass(frozen=True, slots=True)
class Store:
    """Where a part of ours, or somebody else's, is reached. part: None where it is not ours."""

    url: str
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of the cluster."""

    data: Path

    @property
    def cluster(self) -> Path:
        """Where generated settings, logs and the parts' own data are."""
        return self.data / "cluster"

    @property
    def record(self) -> Path:
        """The file that says what runs."""
        return self.data / "cluster.json"
