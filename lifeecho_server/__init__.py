"""LifeEcho Server: an interviewer at home that turns an elder's talk into a memoir."""

__version__ = "0.1.0"
