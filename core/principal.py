"""Says who is calling and for which tenant."""

from dataclasses import dataclass

from core.ids import PrincipalId, TenantId


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of every operation; stores never answer without one."""

    id: PrincipalId
    tenant_id: TenantId


LOCAL = Principal(PrincipalId("local"), TenantId("local"))
"""The only caller in open development mode, where the server listens on loopback alone."""
