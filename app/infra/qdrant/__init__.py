"""Vector stores by Qdrant: embedded and served."""
