"""The port to a person's notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.principal import Principal


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person wants kept."""

    id: str
    text: str
    created_at: datetime


class Notes(Protocol):
    """Keeps notes, each person's apart. Raises `StorageUnavailable`."""

    async def save(self, principal: Principal, key: str, text: str) -> Note:
        """Keep a note; saving again under the same key changes nothing and returns the first."""
        ...

    async def newest(self, principal: Principal, limit: int) -> Sequence[Note]:
        """Return the person's notes, newest first."""
        ...
