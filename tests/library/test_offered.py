"""The library: what a Python program is offered, and that what is shown of it is true."""

from __future__ import annotations

import ast
import inspect
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pip_warden
from library import consumer
from library.consumer import Given, code_of, judged
from library.signed import Signed, names
from pip_warden import Accepted, Refused

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "library.md"
EXAMPLE = ROOT / "examples" / "library" / "judge_a_file.py"


def test_every_name_is_importable_and_documented() -> None:
    for name in pip_warden.__all__:
        value = getattr(pip_warden, name)
        if name == "Verdict":
            assert value == Accepted | Refused
            continue
        described = type(value) if name == "SILENT" else value
        assert inspect.getdoc(described), name
        for attribute, member in vars(described).items() if inspect.isclass(described) else ():
            if not attribute.startswith("_") and callable(member):
                assert inspect.getdoc(member), f"{name}.{attribute}"


def test_the_page_names_everything_that_is_offered() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [name for name in pip_warden.__all__ if name not in text] == []


def test_dir_and_star_and_unknown_names() -> None:
    scope: dict[str, Any] = {}
    exec("from pip_warden import *", scope)  # noqa: S102 -- it stands at the top of a module only

    assert set(pip_warden.__all__) <= set(scope)
    assert set(pip_warden.__all__) <= set(dir(pip_warden))
    with pytest.raises(AttributeError, match=r"module 'pip_warden' has no attribute 'judge_flie'"):
        getattr(pip_warden, "judge_flie")  # noqa: B009 -- mypy knows that it is not there
    with pytest.raises(ImportError, match="cannot import name 'Judge'"):
        exec("from pip_warden import Judge")  # noqa: S102 -- as above


STABLE = """
InstallRequest(packages, requirements, constraints, build_constraints, editables, python, options, dry_run, \
download, with_sdist, strict, report, pass_env, verbosity, installer)
Reporter.note(message)
Reporter.step(message)
Reporter.transfer(what, done, total)
Reporter.transfer_done(what)
Reporter.warning(message)
Session.install(request, on_line)
Session.judge_file(path, evidence)
Session.judge_release(name, version)
Settings(offline, cache_dir, token_files, ca_file, timeout, retries, mirrors, environ, now)
Settings.cache_directory()
Settings.from_environment(environ)
Supply.evidence(filename, sha256)
Supply.file(filename)
Supply.page(project)
judge_file(path, trust, evidence)
load_trust(path, check_owner)
open_session(trust, settings, supply, reporter)
"""
"""Everything that a program calls, with its parameters. A line that changes here breaks programs."""


def _called() -> Iterator[str]:
    for name in ("InstallRequest", "Settings", "judge_file", "load_trust", "open_session"):
        yield _spelled(name, getattr(pip_warden, name))
    for owner in (pip_warden.Reporter, pip_warden.Session, pip_warden.Settings, pip_warden.Supply):
        for name, _member in inspect.getmembers(owner, callable):
            if not name.startswith("_"):
                yield _spelled(f"{owner.__name__}.{name}", getattr(owner, name))


def _spelled(name: str, function: Callable[..., object]) -> str:
    parameters = [each for each in inspect.signature(function).parameters if each != "self"]
    return f"{name}({', '.join(parameters)})"


def test_what_programs_call_stays() -> None:
    assert sorted(_called()) == STABLE.split("\n")[1:-1]


IMPORTED = """
import sys
before = set(sys.modules)
import pip_warden
print(*sorted(set(sys.modules) - before))
dir(pip_warden)
pip_warden.WardenError, pip_warden.Reporter, pip_warden.Settings, pip_warden.open_session
print(*sorted({"cryptography", "packaging", "pydantic", "requests", "sigstore"} & set(sys.modules)))
"""


def test_importing_it_loads_nothing() -> None:
    """Start-up time is a promise; in a fresh interpreter, by its modules and not by a clock."""
    command = [sys.executable, "-I", "-c", IMPORTED]
    loaded, heavy = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[:2]

    assert (loaded, heavy) == ("pip_warden", "")


def test_the_types_are_in_the_wheel(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")

    assert {"pip_warden/py.typed", "pip_warden/library.py"} <= set(zipfile.ZipFile(wheel).namelist())


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return found | {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_a_program_needs_one_import_of_ours() -> None:
    ours = {path.name for path in (ROOT / "src" / "pip_warden").iterdir()}
    for path in (Path(consumer.__file__), EXAMPLE):
        imported = _imports(path)
        assert "pip_warden" in imported
        assert {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names} == {
            "pip_warden"
        }, ours


def test_the_example_is_six_lines_of_use() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    use = lines[lines.index("import pip_warden") + 1 :]

    assert 0 < len([line for line in use if line.strip()]) <= 6


@pytest.mark.parametrize(
    ("evidence", "code", "said"), [(True, 0, "accepted: "), (False, 1, "refused [no-evidence]")]
)
def test_the_example_judges_a_file(signed: Signed, evidence: bool, code: int, said: str) -> None:
    directory = "dist" if evidence else "evidence"
    (signed.home / "evidence" / signed.wheel.name).write_bytes(signed.wheel.data)
    command = [sys.executable, str(EXAMPLE), f"{directory}/{signed.wheel.name}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (result.returncode, (result.stdout + result.stderr).startswith(said)) == (code, True), result


def test_the_page_is_true(signed: Signed, empty_environment: Path) -> None:
    """Its blocks are run as one program, from the first to the last, and print what they say."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    shutil.copytree(empty_environment, signed.home / ".venv", symlinks=True)
    result = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)], capture_output=True, text=True, check=False
    )
    lines = result.stdout.splitlines()

    assert len(blocks) == 7
    assert result.returncode == 0, result.stderr
    assert lines[0].startswith("accepted, signed by https://")
    assert lines[1] == f"{signed.wheel.sha256} {len(signed.wheel.data)} bytes"
    assert lines[2:4] == [f"{signed.wheel.name} accepted ", "exit code 0"]
    assert lines[-2:] == ["0", "looking up acme-widgets"]
    assert "acme_widgets" in names(signed.home / ".venv")


def test_a_program_of_its_own(signed: Signed, target: Path) -> None:
    """The program that mypy checks: a supply in memory, and a file, a release and an installation."""
    supply = Given({signed.wheel.name: signed.wheel.data}, {signed.wheel.name: signed.bundle})
    said, release, installed, steps = judged(signed.trust, signed.path, supply, target)

    assert said.startswith(f"accepted {signed.wheel.sha256} https://")
    assert (release.exit_code, [line.subject for line in release.lines]) == (0, [signed.wheel.name])
    assert (installed.exit_code, "acme_widgets" in names(target)) == (0, True)
    assert steps[:2] == ["looking up acme-widgets", f"fetching {signed.wheel.name}"]
    assert {"acme-widgets", signed.wheel.sha256} <= set(supply.asked)
    assert code_of(signed.path, signed.trust) == ""
