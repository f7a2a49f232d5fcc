"""Says who is calling, for which tenant, and as what."""

from dataclasses import dataclass, field
from typing import Final

from core.ids import PrincipalId, TenantId

USER: Final = "user"
"""The role of everybody who may talk to the assistant."""

OPERATOR: Final = "operator"
"""The role of those who look after the server."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of every operation; stores never answer without one.

    roles: what the caller may be taken for; a tool is for those roles that it names. They say
        nothing about who it is: with other roles it is the same caller.
    """

    id: PrincipalId
    tenant_id: TenantId
    roles: frozenset[str] = field(default=frozenset(), compare=False)


LOCAL = Principal(PrincipalId("local"), TenantId("local"), frozenset({USER, OPERATOR}))
"""The only caller in open development mode, where the server listens on loopback alone."""
