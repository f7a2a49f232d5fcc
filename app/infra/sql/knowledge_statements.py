"""The statements of every search, each built once; see `turn_statements` for why."""

from functools import cache

from sqlalchemy import Select, bindparam, exists, select

from app.infra.sql.knowledge_tables import CollectionRow, DocumentRow, PassageRow
from core.documents import DocumentStatus


@cache
def collection_named() -> Select[object]:
    """Read a collection. Takes `tenant` and `collection`, its name."""
    return select(CollectionRow.__table__).where(
        CollectionRow.tenant_id == bindparam("tenant"),
        CollectionRow.name == bindparam("collection"),
    )


@cache
def has_ready() -> Select[bool]:
    """Tell whether a collection has a document that can be found. Takes what the one above does.

    No row where there is no such collection.
    """
    is_ready = exists().where(
        DocumentRow.tenant_id == CollectionRow.tenant_id,
        DocumentRow.collection_id == CollectionRow.id,
        DocumentRow.status == DocumentStatus.READY,
    )
    return select(is_ready).where(
        CollectionRow.tenant_id == bindparam("tenant"),
        CollectionRow.name == bindparam("collection"),
    )


@cache
def ready_passages() -> Select[object]:
    """Read passages of documents that are ready. Takes `tenant` and `ids`."""
    return (
        select(
            PassageRow.__table__,
            DocumentRow.name.label("document_name"),
            CollectionRow.name.label("collection"),
        )
        .join(DocumentRow, DocumentRow.id == PassageRow.document_id)
        .join(CollectionRow, CollectionRow.id == DocumentRow.collection_id)
        .where(
            PassageRow.tenant_id == bindparam("tenant"),
            PassageRow.id.in_(bindparam("ids", expanding=True)),
            DocumentRow.status == DocumentStatus.READY,
        )
    )
