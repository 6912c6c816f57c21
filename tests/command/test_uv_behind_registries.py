"""The real uv in a project, with its own lock: all that it asks of registries is answered by the gate."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from command.front import front
from flow.user import User
from installers.witness import LONGEST_WAIT
from pip_warden.command.origins import answered_origins
from pip_warden.installer.registries import Registries
from pip_warden.installer.server import Server
from pip_warden.sandbox import Project
from pip_warden.sandbox.gitlab.settings import Forwarding

UV = Path(sys.executable).parent / "uv"
SECRET = "c2VjcmV0-of-uv"


def _project(user: User, private: Project, public: str, index: str) -> Path:
    """Make a project that needs a signed private package and a public one that is pinned by its digest."""
    made = user.home / "consumer"
    made.mkdir()
    (made / "pyproject.toml").write_text(
        f'[project]\nname = "consumer"\nversion = "0"\nrequires-python = ">=3.11"\n'
        f'dependencies = ["{private.record.name}", "{public}"]\n'
        f'[[tool.uv.index]]\nname = "acme"\nurl = "{index}"\n'
        f'[[tool.uv.index]]\nname = "public"\nurl = "{user.sandbox.pypi_url}"\ndefault = true\n'
    )
    return made


def _uv(project: Path, *words: str, cache: str, secret: str, proxy: str = "") -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(project),
        "UV_CACHE_DIR": str(project.parent / cache),
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_INDEX_ACME_USERNAME": "someone",
        "UV_INDEX_ACME_PASSWORD": secret,
        "HTTP_PROXY": proxy,
    }
    done = subprocess.run(
        [UV, *words],
        check=False,
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_WAIT * 5,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["project", "group"])
def test_a_lock_is_the_same_byte_for_byte(user: User, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    public = f"public-for-{kind}"
    monkeypatch.setattr(user.sandbox.settings, "forwarding", Forwarding.OFF)
    wheel = user.sandbox.wheel(public, "2.0", requires_python=">=3.9")
    user.sandbox.upstream.add(public, [wheel])
    user.pin_hash(wheel, name=public)
    private = user.published("1.0", "1.1", requires=[public])
    group = f"{user.sandbox.gitlab_url}/api/v4/groups/{private.record.namespace.path}"
    index = private.simple_url if kind == "project" else f"{group}/-/packages/pypi/simple"
    project = _project(user, private, public, index)
    lock = project / "uv.lock"
    _uv(project, "lock", cache="plain", secret=user.token)
    plain = lock.read_bytes()
    lock.unlink()
    user.sandbox.clear_requests()
    with front(user) as here:
        registries = Registries(here.trust.sources, answered_origins(here.trust, here.gate), here.backend)
        with Server(here.backend, registries=registries) as server:
            _uv(project, "lock", cache="gated", secret=SECRET, proxy=server.proxy_url)
            assert lock.read_bytes() == plain
            if kind == "project":
                _uv(project, "sync", "--frozen", cache="other", secret=SECRET, proxy=server.proxy_url)
                assert len(list(project.glob(f".venv/lib/*/site-packages/{public.replace('-', '_')}"))) == 1
        assert (server.denial, server.strays) == (None, ())
        text = plain.decode()
        assert all(url in here.backend.seen.listed for url in _urls(text))
        assert wheel.sha256 in here.backend.seen.served
    assert lock.read_bytes() == plain
    headers = [value for request in user.sandbox.requests for _, value in request.headers]
    assert headers
    assert not any(SECRET in value for value in headers)


def _urls(lock: str) -> list[str]:
    return [piece.partition('"')[0] for piece in lock.split('{ url = "')[1:]]
