"""How a benchmark tells its figures: a table for a person, JSON for a program."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """Return what the figures depend on most."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "os": platform.system()}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` (0 to 1) of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def spread(values: Sequence[float]) -> str:
    """Return the median of the rounds, with the least and the most."""
    return f"{statistics.median(values):.4g} ({min(values):.4g}–{max(values):.4g})"


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column holds names, the others figures."""
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    for row in rows:
        table.add_row(*row)
    Console(width=max(100, Console().width)).print(table)


def write(out: Path, figures: dict[str, Any]) -> None:
    """Write the figures as JSON, with the machine they were measured on."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"machine": machine(), **figures}, indent=2) + "\n")
    print(f"written to {out}")
