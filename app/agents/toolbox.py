"""What the writer needs to know of the tools: which of them the model may ask for."""

from collections.abc import Sequence
from typing import Protocol

from core.ports.chat_model import ToolOffer
from core.principal import Principal


class Toolbox(Protocol):
    """Offers tools to models."""

    def offers(self, principal: Principal, agent: str) -> Sequence[ToolOffer]:
        """Return what a model that works as `agent` for `principal` may ask for, by name."""
        ...
