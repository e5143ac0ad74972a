"""The shape of the package, held by reading its imports and its source."""

import ast
import re
from pathlib import Path

import pytest

import lifeecho_server

PACKAGE = Path(lifeecho_server.__file__).parent

LAYERS = (
    "cli",
    "app",
    "web",
    "session",
    "inference",
    "store",
    "engines",
    "accounts",
    "interview",
    "protocol",
    "settings",
    "logs",
    "clock",
    "errors",
)
"""From the top down, as docs/architecture.md draws it: a module imports its own layer or lower."""

BOUNDARIES = [PACKAGE / "inference" / "edge.py", PACKAGE / "session" / "boundary.py"]
"""Around the foreign libraries, and around what a client or a background job asks for."""

MODULES = sorted(PACKAGE.rglob("*.py"))


def layer(module: str) -> int | None:
    """Return how deep a module of the package lies; None for what is not of it."""
    parts = module.split(".")
    if parts[0] != "lifeecho_server" or len(parts) == 1:
        return None
    return LAYERS.index("cli" if parts[1] == "__main__" else parts[1])


def module_name(path: Path) -> str:
    relative = path.relative_to(PACKAGE.parent).with_suffix("")
    return ".".join(part for part in relative.parts if part != "__init__")


def imported(tree: ast.AST) -> list[str]:
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = layer(module_name(path))
    for name in imported(ast.parse(path.read_text("utf-8"))):
        depth = layer(name)
        assert own is None or depth is None or depth >= own, f"{path.name} imports {name}"


@pytest.mark.parametrize(
    ("layers", "forbidden"),
    [
        (("engines",), ("trio", "sqlite3", "sqlite_utils")),
        (("interview", "protocol"), ("trio", "sqlite3", "sqlite_utils", "time", "random")),
        (("session", "web", "inference", "engines", "interview", "cli"), ("sqlite3",)),
    ],
)
def test_layers_keep_to_their_libraries(
    layers: tuple[str, ...], forbidden: tuple[str, ...]
) -> None:
    for name in layers:
        for path in (PACKAGE / name).rglob("*.py"):
            found = {
                module.split(".")[0] for module in imported(ast.parse(path.read_text("utf-8")))
            }
            assert not found & set(forbidden), path


def test_everything_is_caught_at_the_boundaries_only() -> None:
    broad = [
        path
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and not _raises_again(node)
    ]
    assert broad == BOUNDARIES


def _raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether a handler only cleans up and lets the error go on."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_sql_is_in_the_store_only() -> None:
    statement = re.compile(r"\b(SELECT .* FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b")
    outside = [
        p for p in MODULES if "store" not in p.parts and statement.search(p.read_text("utf-8"))
    ]
    assert outside == []


def test_every_public_name_has_a_docstring() -> None:
    missing = []
    for path in MODULES:
        tree = ast.parse(path.read_text("utf-8"))
        nodes: list[ast.AST] = [tree] if path.name != "__init__.py" or tree.body else []
        nodes += [
            node
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
        ]
        missing += [
            f"{path.name}:{getattr(n, 'name', '')}" for n in nodes if not ast.get_docstring(n)
        ]  # type: ignore[arg-type]
    assert missing == []
