"""Says whose chunks a call may touch; there is no other way to make a filter."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.infra.qdrant.payload import COLLECTION, DOCUMENT, TENANT
from core.errors import Internal
from core.ids import CollectionId, DocumentId, TenantId


@dataclass(frozen=True, slots=True)
class Scope:
    """Payload fields that must all have these values.

    The engine knows no tenants: this is the only wall between them. So both constructors below
    take the tenant, and a blank value is an error and never "any".
    """

    fields: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if dict(self.fields).get(TENANT) is None or not all(value for _, value in self.fields):
            raise ValueError("a search without its tenant or collection")

    def check(self, payload: Mapping[str, Any]) -> None:
        """Raise `Internal` for a point that an engine's filter should have kept back."""
        if any(payload.get(field) != value for field, value in self.fields):
            raise Internal("The search went wrong.")


def collection_scope(tenant_id: TenantId, collection_id: CollectionId) -> Scope:
    """Return the scope of one collection of one tenant. Raises `ValueError` for a blank id."""
    return Scope(((TENANT, tenant_id), (COLLECTION, collection_id)))


def document_scope(tenant_id: TenantId, document_id: DocumentId) -> Scope:
    """Return the scope of one document of one tenant. Raises `ValueError` for a blank id."""
    return Scope(((TENANT, tenant_id), (DOCUMENT, document_id)))
