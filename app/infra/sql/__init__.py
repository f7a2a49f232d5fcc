"""The relational stores."""
