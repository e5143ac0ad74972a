"""Writing a GGUF file so that it is put in place whole."""

from pathlib import Path

import gguf


def draft_of(path: Path) -> Path:
    """Return where a file is written before it is put in place."""
    return path.with_name(path.name + ".part")


def write_out(writer: gguf.GGUFWriter, path: Path) -> None:
    """Write all that was added to a writer on ``draft_of(path)``, and put it in place."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    draft_of(path).replace(path)
