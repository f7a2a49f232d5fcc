"""The tables of collections, their documents, passages and jobs."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.sql.base import Base
from app.infra.sql.utc_datetime import UtcDateTime


class CollectionRow(Base):
    """A named set of documents."""

    __tablename__ = "collections"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DocumentRow(Base):
    """One uploaded file; the blob has the same id. One collection holds the same bytes once."""

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("collection_id", "sha256"),
        Index(None, "tenant_id", "collection_id", "created_at", "id"),
        Index(None, "tenant_id", "collection_id", "status"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    collection_id: Mapped[str] = mapped_column(ForeignKey("collections.id"))
    name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    status: Mapped[str]
    page_count: Mapped[int | None]
    passage_count: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PassageRow(Base):
    """A stretch of a document; the offsets are in characters of the document's text."""

    __tablename__ = "passages"
    __table_args__ = (UniqueConstraint("document_id", "ordinal"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    page: Mapped[int | None]
    start_offset: Mapped[int] = mapped_column(BigInteger)
    end_offset: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(Text)


class JobRow(Base):
    """Long work on one document.

    It outlives the document, so that whoever waits for it learns that it was cancelled: hence
    no foreign key. While it runs, `owner` is the node that has it, on Postgres until
    `lease_until`.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index(None, "status", "created_at"),
        Index(None, "document_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    principal: Mapped[str]
    document_id: Mapped[str]
    status: Mapped[str]
    stage: Mapped[str]
    progress: Mapped[float]
    error: Mapped[str | None] = mapped_column(Text)
    attempt: Mapped[int]
    owner: Mapped[str] = mapped_column(server_default="")
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
