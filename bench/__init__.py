"""Benchmarks, each a program: ``python -m bench.NAME --help``."""
