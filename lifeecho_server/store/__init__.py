"""The only SQL: one writer with group commit, readers beside it, and typed queries by concept."""
