"""What a small install lacks is named with the command that brings it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import pip_warden
from documents import described
from pip_warden.cli import extras

SRC = Path(pip_warden.__file__).parent
ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HIDING = """
import sys
HIDDEN = set(sys.argv.pop(1).split(","))
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
from pip_warden.cli import main
main()
"""
EXTRAS = {
    "publish": ["twine", "requests_toolbelt", "readme_renderer", "docutils", "nh3"],
    "sandbox": ["python_multipart", "multipart", "starlette", "uvicorn", "anyio"],
}
EVERYTHING = ",".join([*EXTRAS["publish"], *EXTRAS["sandbox"], "keyring"])


def without(hidden: str, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a fresh interpreter that cannot import some packages."""
    return subprocess.run(
        [sys.executable, "-c", HIDING, hidden, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        env={"HOME": str(home), "PATH": ""},
    )


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("publish", ("publish", "a-1.0-py3-none-any.whl")),
        ("publish", ("publish", "--dry-run", "a-1.0-py3-none-any.whl")),
        ("publish", ("promote", "a==1.0", "--from", "b", "--to", "c")),
        ("sandbox", ("sandbox",)),
        ("sandbox", ("demo",)),
    ],
)
@pytest.mark.parametrize("number", [0, -1])
def test_a_missing_extra_is_one_sentence_with_the_command(
    extra: str, words: tuple[str, ...], number: int, tmp_path: Path
) -> None:
    modules = dict(extras._MODULES)[extra]  # type: ignore[index]
    message = f"expected the extra `{extra}`, which `pip-warden {words[0]}` needs, found no {modules[number]}"
    ended = without(modules[number], tmp_path, *words)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == [
        f"error[extra-missing]: {message}",
        "",
        f"hint: `pip install 'pip-warden[{extra}]'` installs it.",
    ]
    assert not list(tmp_path.iterdir())


def test_a_missing_extra_as_json(tmp_path: Path) -> None:
    ended = without(EVERYTHING, tmp_path, "publish", "--format", "json")

    assert (ended.returncode, ended.stderr) == (2, "")
    assert described(ended.stdout)["error"]["code"] == "extra-missing"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("sign", "absent.whl"), "no-such-file"),
        (("attest", "absent.whl"), "not-in-ci"),
        (("build-info", "-o", "build-info.json"), "not-in-ci"),
        (("publish-evidence", "absent.whl"), "no-such-file"),
        (("verify", "absent.whl"), "no-such-file"),
        (("verify-release", "a==1.0"), "no-trust-file"),
        (("trust", "check"), "no-trust-file"),
    ],
)
def test_the_other_commands_miss_nothing(words: tuple[str, ...], code: str, tmp_path: Path) -> None:
    ended = without(EVERYTHING, tmp_path, *words)

    assert re.findall(r"error\[(.*?)\]", ended.stderr) == [code], ended.stderr


@pytest.mark.parametrize("words", [("publish",), ("promote",), ("sandbox",), ("demo",)])
def test_help_needs_no_extra(words: tuple[str, ...], tmp_path: Path) -> None:
    assert without(EVERYTHING, tmp_path, *words, "--help").returncode == 0


def test_each_extra_is_declared_and_all_is_each() -> None:
    declared = PROJECT["optional-dependencies"]
    core = {re.split(r"[>=<]", line)[0].replace("-", "_") for line in PROJECT["dependencies"]}

    for extra, modules in extras._MODULES.items():
        assert {re.split(r"[>=<]", line)[0].replace("-", "_") for line in declared[extra]} == set(modules)
        assert not set(modules) & core
    assert declared["all"] == ["pip-warden[keyring,publish,sandbox,uv]"]
    assert set(declared) == {"all", "keyring", "publish", "sandbox", "uv"}


def test_nothing_else_imports_what_an_extra_brings() -> None:
    """Each import is inside a function, or for the type checker alone."""
    brought = {"keyring", "multipart", *(module for modules in EXTRAS.values() for module in modules)}
    importers = set()
    for path in SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {name.partition(".")[0] for name in names} & brought:
                importers.add(path.relative_to(SRC).as_posix())

    # The sandbox is an extra as a whole; who may import it is in the import contract.
    assert {importer for importer in importers if not importer.startswith("sandbox/")} == {
        "publish/form.py", "transport/bodies.py", "transport/collect.py", "transport/exchange.py",
    }  # fmt: skip
