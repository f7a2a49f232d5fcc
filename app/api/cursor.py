"""Writes a place in a list as an opaque text, and reads it again."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime

from core.errors import InvalidRequest


def encode_cursor(moment: datetime, last_id: str) -> str:
    """Return the cursor of the last item of a page. It holds no more than the page showed."""
    return urlsafe_b64encode(f"{moment.isoformat()} {last_id}".encode()).decode()


def decode_cursor(cursor: str) -> tuple[datetime, str]:
    """Return the moment and the id of a cursor. Raises `InvalidRequest` for any other text."""
    try:
        text = urlsafe_b64decode(cursor.encode()).decode()
        moment, last_id = text.split(" ")
        place = datetime.fromisoformat(moment), last_id
    except ValueError:
        raise InvalidRequest("The cursor is not one that this server gave.") from None
    if place[0].tzinfo is None:
        raise InvalidRequest("The cursor is not one that this server gave.")
    return place
