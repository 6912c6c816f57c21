"""The registries' own paths: pages, files and releases as registries have them, and nothing else."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from installers.asking import ask
from installers.fake_backend import FakeBackend, error, metadata, wheel
from pip_warden.errors import RefusedError, UndecidedError
from pip_warden.installer.connection import Request, Response
from pip_warden.installer.model import FileQuestion, ListedFile, ReleaseFacts, ServedFile
from pip_warden.installer.registries import Registries
from pip_warden.installer.server import Server
from pip_warden.names import ProjectName
from pip_warden.trust.source import Source

GITLAB = "http://127.0.0.1:1"
PYPI = "http://127.0.0.1:2/simple"
FILES = "http://127.0.0.1:3"
SOURCES = (
    Source(name="acme", type="gitlab", url=GITLAB),
    Source(name="pypi", type="simple", url=PYPI),
)
NAME = "acme-1.0-py3-none-any.whl"
CONTENT = wheel("acme", "1.0", "beta>=1")
SHA = hashlib.sha256(CONTENT).hexdigest()
ACME = ProjectName("acme")
PAGE = f"{PYPI}/acme/"
JSON = "Accept: application/vnd.pypi.simple.v1+json"
URL = f"{FILES}/packages/{NAME}"
LISTED = ListedFile(
    filename=NAME, sha256=SHA, yanked="old", upload_time="2026-01-01T00:00:00.123456Z", size=7, url=URL
)
FACTS = ReleaseFacts(
    name=ACME,
    version="1.0",
    requires_dist=("beta>=1",),
    requires_python=">=3.11",
    summary="Anvils",
    files=(LISTED, ListedFile(filename="acme-1.0.tar.gz", sha256="", url=f"{FILES}/acme-1.0.tar.gz")),
)
SECRETS = ("c2VjcmV0LWE=", "secret-b", "secret-c", "secret-d")


@dataclass
class FakeRegistries:
    """What the gate says, from memory."""

    directory: Path
    files: tuple[ListedFile, ...] | None = (LISTED,)
    facts: ReleaseFacts | None = FACTS
    failure: Exception | None = None
    asked: list[Any] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def page_at(
        self, project: ProjectName, source: str, registry: str | None, group: str | None = None
    ) -> tuple[ListedFile, ...] | None:
        self._ask((project, source, registry, group))
        return self.files

    def file_at(self, asked: FileQuestion) -> ServedFile | None:
        self._ask(asked)
        path = self.directory / NAME
        path.write_bytes(CONTENT)
        known = metadata("acme", "1.0", "beta>=1")
        return None if self.files is None else ServedFile(metadata=known, hand_over=lambda: path)

    def release_at(self, project: ProjectName, version: str, source: str) -> ReleaseFacts | None:
        self._ask((project, version, source))
        return self.facts

    def sent(self, filename: str) -> None:
        self.taken.append(filename)

    def carried(self, size: int) -> None:
        """The server counts."""

    def _ask(self, what: Any) -> None:
        self.asked.append(what)
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def backend(tmp_path: Path) -> FakeRegistries:
    (tmp_path / "files").mkdir()
    return FakeRegistries(tmp_path / "files")


@pytest.fixture
def registries(backend: FakeRegistries) -> Registries:
    return Registries(SOURCES, (GITLAB, "http://127.0.0.1:2", FILES), backend)


@pytest.fixture
def server(registries: Registries, tmp_path: Path) -> Server:
    return Server(FakeBackend(tmp_path), registries=registries)


def _answer(registries: Registries, url: str, accept: str = "", method: str = "GET") -> Response | None:
    return registries.answer(Request(method=method, target=url, headers=(("accept", accept),)))


def _said(response: Response | None) -> Any:
    assert response is not None
    assert response.status == 200
    return json.loads(response.content)


def test_a_page_has_what_its_registry_says_of_the_files(
    registries: Registries, backend: FakeRegistries
) -> None:
    (file,) = _said(_answer(registries, PAGE, JSON))["files"]
    assert file == {
        "filename": NAME,
        "url": URL,
        "hashes": {"sha256": SHA},
        "core-metadata": True,
        "yanked": "old",
        "upload-time": "2026-01-01T00:00:00.123456Z",
        "size": 7,
    }
    page = _answer(registries, PAGE, "text/html")
    assert page is not None
    assert (
        f'<a href="{URL}#sha256={SHA}" data-yanked="old" data-core-metadata="true">' in page.content.decode()
    )
    assert backend.asked == [(ACME, "pypi", None, None)] * 2


def test_what_a_registry_does_not_say_nobody_says(registries: Registries, backend: FakeRegistries) -> None:
    backend.files = (ListedFile(filename=NAME, sha256="", url=URL),)
    url = f"{GITLAB}/api/v4/projects/acme%2Facme/packages/pypi/simple/acme"
    (file,) = _said(_answer(registries, url, JSON))["files"]
    assert file == {"filename": NAME, "url": URL, "hashes": {}, "core-metadata": False, "yanked": False}
    assert backend.asked == [(ACME, "acme", "acme/acme", None)]


def test_a_release_is_told_as_pypi_tells_it(registries: Registries, backend: FakeRegistries) -> None:
    url = "http://127.0.0.1:2/pypi/acme/1.0/json"
    assert _said(_answer(registries, url)) == {
        "info": {
            "name": "acme",
            "version": "1.0",
            "summary": "Anvils",
            "requires_dist": ["beta>=1"],
            "requires_python": ">=3.11",
            "yanked": False,
            "yanked_reason": None,
        },
        "urls": [
            {
                "filename": NAME,
                "url": URL,
                "digests": {"sha256": SHA},
                "packagetype": "bdist_wheel",
                "requires_python": None,
                "size": 7,
                "upload_time_iso_8601": "2026-01-01T00:00:00.123456Z",
                "yanked": True,
                "yanked_reason": "old",
            }
        ],
    }
    sdist = ListedFile(filename="acme-1.0.tar.gz", sha256=SHA, yanked="", url=URL)
    backend.facts = ReleaseFacts(
        name=ACME, version="1.0", requires_dist=None, requires_python=None, summary="", files=(sdist,)
    )
    told = _said(_answer(registries, url))
    assert (told["info"]["requires_dist"], told["info"]["yanked"]) == (None, True)
    assert told["urls"][0]["packagetype"] == "sdist"


def test_what_is_elsewhere_is_not_here_and_no_stray(registries: Registries, backend: FakeRegistries) -> None:
    backend.files = backend.facts = None
    for url in (PAGE, URL, "http://127.0.0.1:2/pypi/acme/1.0/json"):
        response = _answer(registries, url)
        assert response is not None
        assert response.status == 404


@pytest.mark.parametrize(
    ("url", "method"),
    [
        (PAGE, "POST"),
        (PAGE, "PUT"),
        (PAGE, "OPTIONS"),
        (f"{PYPI}/", "GET"),
        (f"{PAGE}?a=1", "GET"),
        (f"http://127.0.0.1:4/{NAME}", "GET"),
        (f"{GITLAB}/acme/acme.git/info/refs", "GET"),
    ],
)
def test_nothing_else_is_answered_or_asked(
    registries: Registries, backend: FakeRegistries, url: str, method: str
) -> None:
    assert _answer(registries, url, method=method) is None
    assert backend.asked == []


def test_files_whole_in_parts_and_by_their_heads(
    server: Server, registries: Registries, backend: FakeRegistries
) -> None:
    assert registries.origins == {GITLAB, "http://127.0.0.1:2", FILES}
    with server:
        status, headers, body = ask(server, URL)
        assert (status, body) == (200, CONTENT)
        status, headers, body = ask(server, URL, "Range: bytes=-7")
        assert (status, body) == (206, CONTENT[-7:])
        status, headers, body = ask(server, URL, method="HEAD")
        assert (status, headers["content-length"], body) == (200, str(len(CONTENT)), b"")
        backend.taken.clear()
        status, _, body = ask(server, f"{URL}.metadata")
        assert (status, body) == (200, metadata("acme", "1.0", "beta>=1"))
        assert backend.taken == [], "metadata is not the file"
        status, headers, body = ask(server, PAGE, JSON, method="HEAD")
        assert (status, headers["content-type"], body) == (200, "application/vnd.pypi.simple.v1+json", b"")
    assert set(backend.asked) == {
        FileQuestion(filename=NAME, url=URL),
        (ACME, "pypi", None, None),
    }
    assert server.strays == ()


def test_what_is_not_a_registrys_is_refused_and_named_without_secrets(server: Server) -> None:
    with server:
        for url in (f"{GITLAB}/acme/acme.git/info/refs?private_token=secret-b", f"{PYPI}/?token=secret-c"):
            status, _, _ = ask(server, url, "Authorization: Basic c2VjcmV0LWE=")
            assert status == 403
        status, _, _ = ask(server, "http://u:secret-d@127.0.0.1:2/simple/acme/")
        assert status == 403
        status, _, _ = ask(server, PAGE, method="DELETE")
        assert status == 403
    assert server.strays == (
        f"GET {GITLAB}/acme/acme.git/info/refs",
        f"GET {PYPI}/",
        f"GET {PYPI}/acme/",
        f"DELETE {PAGE}",
    )
    assert server.denial is None
    assert not any(secret in stray for secret in SECRETS for stray in server.strays)


def test_credentials_of_a_tool_are_looked_at_by_nobody(
    server: Server, backend: FakeRegistries, caplog: pytest.LogCaptureFixture
) -> None:
    sent = ["Authorization: Basic c2VjcmV0LWE=", "Cookie: session=secret-b", "PRIVATE-TOKEN: secret-c"]
    with server, caplog.at_level(logging.DEBUG):
        plain, with_secrets = ask(server, PAGE), ask(server, PAGE, *sent)
        ask(server, URL, *sent)
        backend.failure = error(RefusedError, "not-pinned")
        ask(server, PAGE, *sent)
    assert plain[2] == with_secrets[2]
    kept = [repr(backend.asked), repr(server.denial), repr(server.strays), caplog.text]
    assert not any(secret in text for secret in SECRETS for text in kept)


def test_nothing_is_answered_without_the_runs_password(server: Server, backend: FakeRegistries) -> None:
    with server:
        status, _, _ = ask(server, PAGE, password="Authorization: Basic cGlwLXdhcmRlbjp4")
        assert status == 407
    assert backend.asked == []


@pytest.mark.parametrize("kind", [RefusedError, UndecidedError])
def test_a_denial_ends_the_registries_too(
    registries: Registries, backend: FakeRegistries, tmp_path: Path, kind: Any
) -> None:
    ended: list[int] = []
    backend.failure = error(kind, "not-pinned")
    with Server(FakeBackend(tmp_path), registries=registries, on_denial=lambda: ended.append(1)) as server:
        assert ask(server, PAGE)[0] == 403
        backend.failure = None
        for url in (PAGE, URL):
            status, _, body = ask(server, url)
            assert (status, body) == (403, b"pip-warden: this run was ended: not-pinned\n")
    assert ended == [1]
    assert server.denial is not None
    assert (server.denial.code, server.denial.exit_code) == ("not-pinned", kind.exit_code)
    assert len(backend.asked) == 1


def test_t65_a_failure_of_our_own_ends_the_run(server: Server, backend: FakeRegistries) -> None:
    backend.failure = ZeroDivisionError()
    with server:
        assert ask(server, PAGE)[0] == 500
    assert server.denial is not None
    assert (server.denial.code, server.denial.exit_code) == ("bug", 70)
