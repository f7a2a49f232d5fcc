"""Stops a run where one of its steps has ended and the next has not begun."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langgraph.runtime import RunControl


class StepBorder:
    """The borders between the steps of one attempt; the next attempt has one of its own.

    What was done before the border is on disk, so whoever goes on with the run repeats nothing.
    """

    def __init__(self) -> None:
        self._is_asked = False
        self._control: RunControl | None = None

    def ask(self) -> None:
        """Let the run stop at its next border; a run that is in its last step ends as usual."""
        self._is_asked = True
        if self._control is not None:
            self._control.request_drain()

    def control(self) -> "RunControl":
        """Return what the graph looks at before each step. For the graph only."""
        # Deferred: LangGraph takes a second to import, and a border is made before it is needed.
        from langgraph.runtime import RunControl

        if self._control is None:
            self._control = RunControl()
            if self._is_asked:
                self._control.request_drain()
        return self._control
