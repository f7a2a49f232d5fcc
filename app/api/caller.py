"""Says who is calling."""

from typing import Annotated

from fastapi import Depends, Request

from core.principal import LOCAL, Principal


def principal_of(request: Request) -> Principal:
    """Return who sent the request: in open development mode always `local`, from loopback."""
    return LOCAL


Caller = Annotated[Principal, Depends(principal_of)]
"""A parameter of a route: who is calling."""
