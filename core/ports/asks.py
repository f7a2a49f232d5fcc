"""The port to the questions that a person has to answer before a call is made."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from core.ids import ConversationId, RunId
from core.principal import Principal
from core.tools import Ask


class Asks(Protocol):
    """Keeps questions and their answers in the database.

    The answers themselves come with the run that continues: `RunStore.admit` records them in the
    transaction that admits it. Raises `StorageUnavailable` where the database can't be used.
    """

    async def ask(self, run_id: RunId, fence: int, asks: Sequence[Ask]) -> Sequence[Ask]:
        """Record questions, and return them as they are on record.

        One that is there already for the same call and kind is returned as it stands, with its
        own id; only where it has expired without an answer, or a call that was begun once more
        is unknown once more, it is asked anew, under another id. One that was recorded before
        may be given again; asked anew, it waits as long as it did.

        run_id, fence: of the attempt. `Ask.expires_at` is by the node's own clock where it is
        given, and by the database's, so many seconds later, where it is returned. Raises
        `CallFenced` where another attempt has the run.
        """
        ...

    async def of_run(self, root_id: RunId) -> Mapping[str, Sequence[Ask]]:
        """Return all questions of a run and those that continue it, by call id, oldest first."""
        ...

    async def pending(self, principal: Principal, conversation_id: ConversationId) -> Sequence[Ask]:
        """Return what waits for the person in a conversation, oldest first.

        Not what has expired, nor what a later message of the person has passed over, nor what
        was asked by a run that is not `INTERRUPTED`: nobody was told. Raises `NotFound`.
        """
        ...


class AskRecords(Protocol):
    """Reads the questions of runs that have ended."""

    async def left_by(self, run_id: RunId) -> Sequence[Ask]:
        """Return the questions that a run ended with (`Ending.asks`), oldest first.

        They may have their answers by now. Raises `StorageUnavailable`.
        """
        ...


class AskBook(Asks, AskRecords, Protocol):
    """Both: what is asked, and what was."""
