"""What a node says of itself to a balancer."""

import pytest

from app.api.health import Readiness


async def works() -> None:
    """Be there."""


@pytest.mark.parametrize(
    ("is_draining", "is_cut_off", "said"),
    [
        (False, False, "ok"),
        (False, True, "cut off"),
        (True, False, "draining"),
        (True, True, "draining"),
    ],
)
async def test_it_says_why_it_wants_no_traffic(
    is_draining: bool, is_cut_off: bool, said: str
) -> None:
    readiness = Readiness(lambda: is_draining, lambda: is_cut_off, {"database": works})
    assert await readiness.report() == {"node": said, "database": "ok"}
