"""Chooses the node to connect to, as a balancer without sticky sessions would."""

import random
import time
from collections.abc import Sequence

_AVOIDED_SECONDS = 10.0


class Addresses:
    """The nodes' socket URLs; one that failed is left alone for a while, if there is another.

    first: where the first connection goes; None: anywhere.
    """

    def __init__(
        self, urls: Sequence[str], chance: random.Random, first: str | None = None
    ) -> None:
        self._urls = list(urls)
        self._first = first
        self._chance = chance
        self._avoided: dict[str, float] = {}

    def pick(self) -> str:
        """Return a node by chance."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        now = time.monotonic()
        good = [url for url in self._urls if self._avoided.get(url, 0.0) <= now]
        return self._chance.choice(good or self._urls)

    def avoid(self, url: str) -> None:
        """Note that a node does not answer, or is going away."""
        self._avoided[url] = time.monotonic() + _AVOIDED_SECONDS

    def restore(self, url: str) -> None:
        """Note that a node answers."""
        self._avoided.pop(url, None)
