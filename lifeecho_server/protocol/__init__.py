"""The conversation socket's messages and how they are read and written; no I/O."""
