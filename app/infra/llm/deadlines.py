"""How long a model may take."""

from dataclasses import dataclass

from core.settings import Settings


@dataclass(frozen=True, slots=True)
class ModelDeadlines:
    """Seconds that one reply may take.

    connect: to open a connection.
    first_token: from the call to the first piece of text or reasoning.
    idle: from one piece to the next.
    total: from the call to the end.
    """

    connect: float
    first_token: float
    idle: float
    total: float


def deadlines_of(settings: Settings) -> ModelDeadlines:
    """Return what the settings allow."""
    return ModelDeadlines(
        connect=settings.model_connect_seconds,
        first_token=settings.model_first_token_seconds,
        idle=settings.model_idle_seconds,
        total=settings.model_total_seconds,
    )
