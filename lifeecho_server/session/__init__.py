"""One live conversation: who may open it, what comes in, what is said."""
