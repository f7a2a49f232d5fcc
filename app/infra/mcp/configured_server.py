"""One MCP server as the operator configured it: where it is, and what its tools may do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from core.principal import USER
from core.tools import Effect

DEADLINE_SECONDS: Final = 30.0
"""How long a call may take, its repetitions included, where the operator does not say."""

EVERY: Final = "*"
"""Stands for every tool that is not named."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Program:
    """A server that runs as a process of ours and talks on its standard input and output.

    environment: all that it has beside `PATH` and `HOME`. cwd: None: that of this server.
    """

    command: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A server that answers at an address, by streamable HTTP. Both may carry secrets."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Hints:
    """What a server says of a tool's effect; nobody vouches for it."""

    is_read_only: bool = False
    is_idempotent: bool = False


@dataclass(frozen=True, slots=True)
class ConfiguredServer:
    """Where a server is, and the operator's word on its tools, by their names or `EVERY`.

    trusts_hints: what the server says of an effect counts where the operator says nothing.
    allowed: None: every tool.
    """

    name: str
    place: Program | Address
    trusts_hints: bool = False
    effects: Mapping[str, Effect] = field(default_factory=dict)
    approvals: Mapping[str, bool] = field(default_factory=dict)
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    deadlines: Mapping[str, float] = field(default_factory=dict)
    allowed: frozenset[str] | None = None

    def allows(self, tool: str) -> bool:
        """Whether the tool may be used at all."""
        return self.allowed is None or tool in self.allowed

    def effect(self, tool: str, hints: Hints) -> Effect:
        """Return what a tool does to the world: a write, unless somebody trusted says less."""
        hinted = self._hinted(hints) if self.trusts_hints else Effect.WRITE
        return _of(self.effects, tool, hinted)

    def needs_approval(self, tool: str, effect: Effect) -> bool:
        """Whether a person is asked before each call: before every write if not said."""
        return _of(self.approvals, tool, effect is not Effect.READ)

    def roles_of(self, tool: str) -> frozenset[str]:
        """Return who may have it called: every user if not said."""
        return _of(self.roles, tool, frozenset({USER}))

    def deadline_seconds(self, tool: str) -> float:
        """Return how long a call may take."""
        return _of(self.deadlines, tool, DEADLINE_SECONDS)

    @staticmethod
    def _hinted(hints: Hints) -> Effect:
        if hints.is_read_only:
            return Effect.READ
        return Effect.IDEMPOTENT_WRITE if hints.is_idempotent else Effect.WRITE


def _of(said: Mapping[str, V], tool: str, default: V) -> V:
    return said.get(tool, said.get(EVERY, default))
