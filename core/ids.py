"""Names the identifiers that travel through the house, so that they cannot be mixed up."""

from typing import NewType

TenantId = NewType("TenantId", str)
"""Who owns a row. Every row has one; in open development mode it is `local`."""

PrincipalId = NewType("PrincipalId", str)
"""Who is calling. In open development mode it is `local`."""

ConversationId = NewType("ConversationId", str)
"""A UUID chosen by the client with its first run."""

RunId = NewType("RunId", str)
"""A UUID chosen by the client; the idempotency key of one user message."""

MessageId = NewType("MessageId", str)
CollectionId = NewType("CollectionId", str)
DocumentId = NewType("DocumentId", str)
PassageId = NewType("PassageId", str)
JobId = NewType("JobId", str)
