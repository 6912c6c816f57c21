"""No import cycles: each module can be read after those below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import pip_warden

SOURCE = Path(pip_warden.__file__).parent.parent


def _modules() -> dict[str, ast.Module]:
    found = {}
    for path in (SOURCE / "pip_warden").rglob("*.py"):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node of a module, also in functions, except what only the type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _run(node)


def _imported(tree: ast.AST, modules: dict[str, ast.Module]) -> Iterator[str]:
    """Yield our modules that a module imports; a package only if a name is taken that is no submodule."""
    for node in _run(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            for alias in node.names:
                within = f"{node.module}.{alias.name}"
                yield within if within in modules else str(node.module)


def circle(modules: dict[str, ast.Module]) -> list[str]:
    """Return one import cycle, with the first module also at its end; empty where there is none."""
    graph = {name: set(_imported(tree, modules)) - {name} for name, tree in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as err:
        return list(err.args[1])
    return []


def test_nothing_imports_in_a_circle() -> None:
    modules = _modules()

    assert len(modules) > 200
    assert circle(modules) == []


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("import a.two", "import a.one", True),
        ("from a import two", "from a.one import x", True),
        ("from a.two import x", "def late(): from a import one", True),
        ("from a.two import x", "if TYPE_CHECKING:\n    from a import one", False),
        ("from a.two import x", "from a import x", True),
        ("from a.two import x", "import b", False),
    ],
)
def test_what_is_a_circle(first: str, second: str, expected: bool) -> None:
    package = {"a": "from a.one import y", "a.one": first, "a.two": second}

    assert bool(circle({name: ast.parse(text) for name, text in package.items()})) is expected
