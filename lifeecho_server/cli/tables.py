"""Rows for a person's eyes."""

from collections.abc import Sequence

from rich.cells import cell_len


def columns(rows: Sequence[Sequence[object]]) -> list[str]:
    """Return rows as lines with aligned columns; a Chinese character is two cells wide."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    return ["  ".join(map(_padded, row, widths)).rstrip() for row in texts]


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - cell_len(cell))
