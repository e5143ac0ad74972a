"""Whole interviews against simulated narrators: what the interviewer gets told, and how it asks."""
