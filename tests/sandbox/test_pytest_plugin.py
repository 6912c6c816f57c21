"""The fixtures that others ask for, used as the page on them says, in a pytest of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

PAGE = (Path(__file__).parent.parent.parent / "docs" / "sandbox.md").read_text(encoding="utf-8")
ASKING = 'pytest_plugins = ["pip_warden.sandbox.pytest_plugin"]\n'
BIN = Path(sys.executable).parent


def run_pytest(home: Path, *words: str, **files: str) -> subprocess.CompletedProcess[str]:
    """Run pytest over some files, in a directory and a home with nothing else; a warning is an error."""
    for name, text in files.items():
        (home / f"{name}.py").write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        ".",
        f"--basetemp={home}-temporary",  # else it sweeps up what all runs before have left
        *words,
    ]
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(home)}
    return subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip


@pytest.mark.interop
def test_the_examples_of_the_page_pass_as_they_stand(tmp_path: Path) -> None:
    files = dict(re.findall(r"```python\n# (\w+)\.py\n(.*?)```", PAGE, re.DOTALL))
    assert set(files) == {"conftest", "test_publisher", "test_consumer"}

    ended = run_pytest(tmp_path, **files)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "3 passed" in ended.stdout
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {f"{name}.py" for name in files}


STATE = """
import threading
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_alone(number, gitlab_sandbox, signed_project):
    assert signed_project.sandbox is gitlab_sandbox
    assert [p.path for p in gitlab_sandbox.state.projects] == ["acme/acme-widgets"]
    assert gitlab_sandbox.requests == ()
    assert not (signed_project.directory / "cache").exists()
    gitlab_sandbox.project("acme/other")
    gitlab_sandbox.rotate("ca", forget=True)
    gitlab_sandbox.fault(lambda *_: None)
    gitlab_sandbox.tamper(signed_project.project, signed_project.files[0].name, data=b"")
    seen.append((signed_project.token, signed_project.trust_file, gitlab_sandbox.sigstore.trusted_root()))

seen = []

def test_each_had_its_own_and_all_are_closed():
    first, second = seen
    assert all(one != other for one, other in zip(first, second))
    assert [thread for thread in threading.enumerate() if thread.name == "sandbox"] == []
"""


def test_no_test_sees_what_another_did(tmp_path: Path) -> None:
    ended = run_pytest(tmp_path, conftest=ASKING, test_state=STATE)

    assert ended.returncode == 0, ended.stdout + ended.stderr


UNASKED = """
import sys

def test_nothing_is_loaded(request):
    assert [name for name in sys.modules if name.startswith("pip_warden")] == []
    assert not [p for p in request.config.pluginmanager.get_plugins() if "pip_warden" in repr(p)]

def test_no_fixture(gitlab_sandbox): ...
"""


def test_who_does_not_ask_gets_nothing(tmp_path: Path) -> None:
    ended = run_pytest(tmp_path, test_unasked=UNASKED)

    assert ended.returncode == 1
    assert "1 passed, 1 error" in ended.stdout
    assert "fixture 'gitlab_sandbox' not found" in ended.stdout
    assert {entry.group for entry in distribution("pip-warden").entry_points} == {"console_scripts"}


def test_without_the_extra_a_test_fails_with_one_sentence(tmp_path: Path) -> None:
    hiding = (
        "import sys\n"
        "class Hide:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in {'python_multipart', 'starlette', 'uvicorn'}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "def pytest_configure():\n"
        "    from pip_warden.sandbox import pytest_plugin\n"
        "    pytest_plugin.find_spec = lambda name: None\n"
        "    sys.meta_path.insert(0, Hide())\n"
    )
    ended = run_pytest(
        tmp_path,
        conftest=ASKING + hiding,
        test_it="def test_it(signed_project): ...\ndef test_other(): ...\n",
    )

    assert ended.returncode == 1
    assert "1 passed, 1 error" in ended.stdout
    assert "`pip install 'pip-warden[sandbox]'` installs it." in ended.stdout
    assert "Traceback" not in ended.stdout
