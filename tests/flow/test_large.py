"""Large files: pip takes the run's own copy by its name, and the vault takes it when the run has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flow.user import User
from ordinary import parametrized
from pip_warden.artifact.model import Artifact
from pip_warden.digests import Hasher
from pip_warden.gate import GateParts, one_file
from pip_warden.installer.connection import Connection, Request
from pip_warden.sandbox import File, Project
from pip_warden.sandbox.packages import backend_source
from pip_warden.verdict.inquiry import Inquiry


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pip_warden.vault.store.LARGE", 0)


def one(user: User) -> tuple[Project, File]:
    project = user.published()
    return project, user.wheel(project)


def stored(user: User, file: File) -> Path:
    return user.cache / "v1" / file.sha256[:2] / file.sha256 / file.name


def drafts(user: User) -> list[Path]:
    return list(user.cache.rglob(".draft*"))


def test_a_file_is_written_once_and_crosses_no_socket(user: User) -> None:
    project, file = one(user)
    requests: list[str] = []
    hashed: list[int] = []
    update = Hasher.update
    exchange = Connection._exchange

    def watched(self: Connection, request: Request) -> None:
        requests.append(f"{request.method} {request.target}")
        exchange(self, request)

    def hashing(self: Hasher, data: bytes) -> None:
        hashed.append(len(data))
        update(self, data)

    user.patch.setattr(Connection, "_exchange", watched)
    user.patch.setattr(Hasher, "update", hashing)
    result = user.install(project.record.name)

    assert (result.code, user.installed()) == (0, {project.record.name: "1.0"}), result.output
    assert result.document["measures"]["bytes_written"] == len(file.data)
    assert sum(hashed) <= result.document["measures"]["bytes_hashed"], (
        "something was hashed that nobody counted"
    )
    assert [line for line in requests if line.startswith("GET") and line.endswith(".whl")] == []
    assert stored(user, file).read_bytes() == file.data
    assert stored(user, file).stat().st_nlink == 1
    assert drafts(user) == []


@parametrized("words", [(), ("--dry-run",), ("--download", "files")], ordinary={0})
def test_t32_a_dry_run_notices_what_changed_after_its_verdict(user: User, words: tuple[str, ...]) -> None:
    """As every other: whether pip takes the file then or not."""
    project, file = one(user)
    judge = one_file._judge

    def late(parts: GateParts, inquiry: Inquiry, artifact: Artifact, evidence: Any) -> None:
        judge(parts, inquiry, artifact, evidence)
        artifact.path.write_bytes(bytes(artifact.size))

    user.patch.setattr(one_file, "_judge", late)
    user.refused(*words, project.record.name, code="changed-after-verdict", files=[file])


@parametrized(
    "words", [("--dry-run",), ("--download", "files"), ("--download", "files", "--dry-run")], ordinary={1}
)
def test_it_is_kept_whatever_the_run_is_for(user: User, words: tuple[str, ...]) -> None:
    project, file = one(user)
    assert user.install(*words, project.record.name).code == 0
    assert stored(user, file).read_bytes() == file.data
    again = user.install("--offline", project.record.name)
    assert (again.code, again.document["measures"]["files_from_cache"]) == (0, 1), again.output


def test_t32_what_is_downloaded_is_nobody_elses(user: User) -> None:
    project, file = one(user)
    assert user.install("--download", "files", project.record.name).code == 0
    mine = user.home / "files" / file.name
    mine.write_bytes(b"mine now")
    assert stored(user, file).read_bytes() == file.data


def test_a_local_file_is_kept_and_stays_where_it_is(user: User) -> None:
    project = user.project()
    file = user.wheel(project)
    user.pin_hash(file, name=project.record.name, source="acme", project=project)
    (user.home / file.name).write_bytes(file.data)
    result = user.install(f"./{file.name}")
    assert result.code == 0, result.output
    assert (user.home / file.name).read_bytes() == file.data
    assert stored(user, file).read_bytes() == file.data


def test_what_was_accepted_is_kept_where_the_run_fails(user: User) -> None:
    project, file = one(user)
    bad = user.project()
    user.pin(bad)
    user.sandbox.publish(bad, [user.wheel(bad)], forms=())
    user.refused(project.record.name, bad.record.name, code="no-evidence", files=[user.wheel(bad)])
    assert stored(user, file).read_bytes() == file.data
    assert drafts(user) == []


WRITE = """
import os, pathlib
_build = build_wheel
def build_wheel(*rest, **named):
    for path in pathlib.Path(os.environ["TMPDIR"]).rglob({pattern!r}):
        path.write_bytes(path.read_bytes()[::-1])
    return _build(*rest, **named)
"""


def test_t32_what_a_build_has_written_to_is_neither_installed_nor_kept(user: User) -> None:
    """A name of pip's for the file is one for the copy that the vault would take."""
    (good, file), project = one(user), user.project()
    user.pin(project)
    pattern = f"{good.record.name}-*.whl"
    backend = backend_source(project.record.name, "1.0") + WRITE.format(pattern=pattern)
    user.sandbox.publish(project, [user.sdist(project, files={"_backend/sandbox_backend.py": backend})])
    user.refused(good.record.name, project.record.name, code="not-through-gate")
    assert not stored(user, file).exists()
    assert drafts(user) == []
