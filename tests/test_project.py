"""The promises of the project itself: the error tree, the codes, values, start-up, and silence."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pip_warden
from pip_warden import errors, explain

SRC = Path(pip_warden.__file__).parent
ROOT = SRC.parent.parent
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages([str(SRC)], "pip_warden.")
    if module.name != "pip_warden.__main__"
)
KEBAB = re.compile(r"[a-z]+[0-9]*(-[a-z0-9]+)+|bug|usage|revoked")


def _sources() -> list[Path]:
    return [path for path in sorted(SRC.rglob("*.py")) if "sandbox" not in path.parts]


def _codes_in_source() -> set[str]:
    """Collect the codes that are raised or returned: first arguments of errors, and ``code=`` anywhere."""
    found = set()
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            values = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            if (name.endswith("Error") or name in {"problem", "verification_fault"}) and node.args:
                values.append(node.args[0])
            found |= {
                v.value
                for v in values
                if isinstance(v, ast.Constant) and isinstance(v.value, str) and KEBAB.fullmatch(v.value)
            }
    return found


def test_the_drawn_error_tree_is_the_real_one() -> None:
    drawn = set(re.findall(r"\b([A-Z]\w+Error)\b", errors.__doc__ or ""))
    real = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }

    assert drawn == real


def test_every_code_in_the_source_is_explained() -> None:
    codes = _codes_in_source()

    assert len(codes) > 40
    assert codes - set(explain.catalogue()) == set()


def test_every_explained_code_is_used() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in _sources())
    built = {
        f"{name}-mismatch"
        for name in ("source-repository", "runner-environment", "environment", "visibility")
    }

    assert {code for code in explain.catalogue() if f'"{code}"' not in text} - built == set()


def test_codes_are_explained_once() -> None:
    names = [
        line.strip("[]\n ")
        for file in sorted((SRC / "codes").glob("*.toml"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("[")
    ]

    assert sorted(names) == sorted(set(names))


def _is_frozen(kind: Any) -> bool:
    named = next((each.name for each in dataclasses.fields(kind)), None)
    if named is None:  # nothing can be changed
        return True
    try:
        kind.__setattr__(object.__new__(kind), named, None)
    except dataclasses.FrozenInstanceError:
        return True
    return False


def test_values_are_frozen() -> None:
    thawed = [
        f"{name}.{value.__name__}"
        for name in MODULES
        if "sandbox" not in name
        for value in vars(importlib.import_module(name)).values()
        if inspect.isclass(value)
        and value.__module__ == name
        and dataclasses.is_dataclass(value)
        and not _is_frozen(value)
    ]

    assert thawed == []


def test_only_the_judge_accepts() -> None:
    makers = {
        path.relative_to(SRC).as_posix()
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Accepted"
    }

    assert makers == {"verdict/inquiry.py"}


def test_only_the_command_line_prints_or_reads_the_environment() -> None:
    """A script that is a process of its own has no other output; a program asks for the environment."""
    forbidden = re.compile(r"^\s*print\(|os\.environ|os\.getenv|sys\.exit", re.MULTILINE)
    talkers = {
        path.relative_to(SRC).as_posix()
        for path in _sources()
        if "cli" not in path.parts and forbidden.search(path.read_text(encoding="utf-8"))
    }

    # The last compares the scripts of others, which end so.
    assert talkers == {
        "installer/guarded_pip.py",
        "session/settings.py",
        "environments/launchers.py",
    }


@pytest.mark.parametrize("heavy", ["sigstore", "starlette", "h11", "pydantic", "requests", "tomlkit"])
def test_importing_the_package_loads_nothing_heavy(heavy: str) -> None:
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import pip_warden"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert not re.search(rf"\b{heavy}\b", result.stderr)


def test_importing_any_module_has_no_side_effect() -> None:
    script = (
        "import importlib, logging, os, sys\n"
        "before = dict(os.environ)\n"
        f"for name in {MODULES!r}: importlib.import_module(name)\n"
        "assert dict(os.environ) == before\n"
        "assert logging.getLogger().handlers == []\n"
    )
    environment = {"PATH": os.environ["PATH"]}
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment
    )

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
