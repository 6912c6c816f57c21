"""Requests for pages of sources and packages of GitLab, over loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from loopback import Answer, Asked, FakeTime, Server, serve
from pip_warden.digests import Digest
from pip_warden.errors import CredentialsError, RegistryError, UsageError, WardenError
from pip_warden.index.gitlab import GitLab
from pip_warden.index.gitlab_urls import generic_url
from pip_warden.index.rows import PackageFile
from pip_warden.index.simple import fetch_page
from pip_warden.names import ProjectName
from pip_warden.transport import Transport, credentials_from_environment

PROJECT = ProjectName("acme-widgets")
WHEEL = "acme_widgets-1.0-py3-none-any.whl"
SHA = "ab" * 32
PAGE = "/api/v4/projects/acme%2Fwidgets/packages/pypi/simple/acme-widgets"
GENERIC = "/api/v4/projects/7/packages/generic/widgets/1.0/f.sig"


@dataclass(frozen=True)
class Source:
    url: str
    type: Literal["gitlab", "simple"] = "gitlab"
    name: str = "acme"

    @property
    def home(self) -> str:
        return self.url


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture
def other() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture
def anonymous() -> Iterator[Transport]:
    with Transport(clock=FakeTime().clock) as transport:
        yield transport


@pytest.fixture
def known(server: Server) -> Iterator[Transport]:
    held = credentials_from_environment(
        {"GITLAB_TOKEN": "glpat-1", "GITLAB_URL": server.url}, use_keyring=False
    )
    with Transport(credentials=held, clock=FakeTime().clock) as transport:
        yield transport


def _page(url: str) -> Answer:
    body = f'<a href="{url}/{WHEEL}#sha256={SHA}">{WHEEL}</a>'
    return Answer(headers={"Content-Type": "text/html; charset=utf-8"}, body=body.encode())


def _json(value: object, **headers: str) -> Answer:
    return Answer(
        headers={name.replace("_", "-"): text for name, text in headers.items()},
        body=json.dumps(value).encode(),
    )


def _code(work: Callable[[], object]) -> str:
    with pytest.raises(WardenError) as caught:
        work()
    return caught.value.code


def test_a_gitlab_page_is_asked_for_by_its_normalised_name(server: Server, known: Transport) -> None:
    server.routes[PAGE] = _page(server.url)

    page = fetch_page(known, PROJECT, Source(server.url), "acme/widgets")

    assert page.url == server.url + PAGE
    assert [str(candidate.name) for candidate in page.candidates] == [WHEEL]
    assert server.asked[0].headers["accept"].startswith("application/vnd.pypi.simple.v1+json")
    assert server.asked[0].headers["authorization"].startswith("Basic ")


def test_a_simple_page_has_a_trailing_slash(server: Server, anonymous: Transport) -> None:
    server.routes["/simple/acme-widgets/"] = _page(server.url)

    assert fetch_page(anonymous, PROJECT, Source(server.url + "/simple", "simple"), None).candidates


def test_t29_t37_forwarding_is_seen_in_the_url_and_gets_no_token(
    server: Server, other: Server, known: Transport
) -> None:
    server.routes[PAGE] = Answer(status=302, headers={"Location": other.url + "/simple/acme-widgets/"})
    other.routes["/simple/acme-widgets/"] = _page(other.url)

    page = fetch_page(known, PROJECT, Source(server.url), "acme/widgets")

    assert page.url == other.url + "/simple/acme-widgets/"
    assert "authorization" not in other.asked[0].headers
    assert "private-token" not in other.asked[0].headers


def test_where_nothing_else_may_be_asked_what_is_forwarded_is_missing(
    server: Server, other: Server, known: Transport
) -> None:
    source = Source(server.url)
    server.routes[PAGE] = Answer(status=302, headers={"Location": other.url + "/simple/acme-widgets/"})
    other.routes["/simple/acme-widgets/"] = _page(other.url)
    assert (
        _code(lambda: fetch_page(known, PROJECT, source, "acme/widgets", stays_home=True)) == "page-missing"
    )
    assert other.asked == []

    server.routes[PAGE] = Answer(status=302, headers={"Location": "/moved"})
    server.routes["/moved"] = _page(server.url)
    assert fetch_page(known, PROJECT, source, "acme/widgets", stays_home=True).candidates
    server.routes[PAGE] = Answer(status=301, headers={"Location": other.url})
    assert (
        _code(lambda: fetch_page(known, PROJECT, source, "acme/widgets", stays_home=True)) != "page-missing"
    )
    assert other.asked == []


def test_t67_forwarding_on_gitlabs_own_origin_stays_visible(server: Server, known: Transport) -> None:
    forward = f"{server.url}/api/v4/projects/7/packages/pypi/forward/acme-widgets/{WHEEL}?upstream_url=x"
    body = f'<a href="{forward}">{WHEEL}</a>'.encode()
    server.routes[PAGE] = Answer(headers={"Content-Type": "text/html"}, body=body)

    page = fetch_page(known, PROJECT, Source(server.url), "acme/widgets")

    assert page.candidates[0].url == forward


def test_a_404_decides_nothing_unless_somebody_asked(
    server: Server, other: Server, known: Transport, anonymous: Transport
) -> None:
    source = Source(server.url)
    assert _code(lambda: fetch_page(anonymous, PROJECT, source, "acme/widgets")) == "credentials-needed"
    assert _code(lambda: fetch_page(known, PROJECT, source, "acme/widgets")) == "page-missing"
    server.routes[PAGE] = Answer(status=302, headers={"Location": other.url + "/simple/acme-widgets/"})
    assert _code(lambda: fetch_page(anonymous, PROJECT, source, "acme/widgets")) == "page-missing"


def test_a_404_of_a_simple_index_is_no_such_project(server: Server, anonymous: Transport) -> None:
    with pytest.raises(RegistryError) as caught:
        fetch_page(anonymous, PROJECT, Source(f"{server.url}/simple", type="simple"), None)

    host = server.url.partition("://")[2]
    assert (caught.value.code, caught.value.exit_code) == ("page-missing", 3)
    assert f"no such project on {host} ({server.url}/simple/acme-widgets/: 404)" in caught.value.message
    assert "GITLAB_TOKEN" not in caught.value.hint


def test_a_404_of_gitlabs_own_index_that_is_called_simple_decides_nothing(
    server: Server, anonymous: Transport
) -> None:
    source = Source(f"{server.url}/api/v4/projects/7/packages/pypi/simple", type="simple")
    assert _code(lambda: fetch_page(anonymous, PROJECT, source, None)) == "credentials-needed"


def test_a_page_that_fails_is_told(server: Server, known: Transport) -> None:
    source = Source(server.url)
    server.routes[PAGE] = Answer(status=500)
    assert _code(lambda: fetch_page(known, PROJECT, source, "acme/widgets")) == "server-error"
    server.routes[PAGE] = Answer(headers={"Content-Type": "application/zip"})
    assert _code(lambda: fetch_page(known, PROJECT, source, "acme/widgets")) == "bad-index-page"
    with pytest.raises(UsageError):
        fetch_page(known, PROJECT, source, None)


def test_an_epoch_and_a_plus_are_written_as_the_registry_takes_them() -> None:
    assert generic_url("https://g/", "a/b", "w", "1!2.0+x", "w-1!2.0+x.tar.gz.sig") == (
        "https://g/api/v4/projects/a%2Fb/packages/generic/w/1__2.0%2Bx/w-1__2.0%2Bx.tar.gz.sig"
    )


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_no_name_leaves_its_path_segment(package: str, version: str, filename: str) -> None:
    url = generic_url(
        "https://g", 7, *(text.encode("utf-8", "replace").decode() for text in (package, version, filename))
    )

    assert url.isascii()
    assert url.count("/") == "https://g/api/v4/projects/7/packages/generic/a/b/c".count("/")


def test_a_file_of_the_generic_registry(server: Server, known: Transport) -> None:
    server.routes[GENERIC] = Answer(body=b"sig")

    assert GitLab(known, server.url).generic_get(7, "widgets", "1.0", "f.sig", max_bytes=10) == b"sig"
    assert server.asked[0].headers["private-token"] == "glpat-1"


def test_t36_a_redirect_is_followed_not_saved(server: Server, other: Server, known: Transport) -> None:
    server.routes[GENERIC] = Answer(
        status=302, headers={"Location": other.url + "/s?X-Sig=1"}, body=b"This resource has been moved"
    )
    other.routes["/s"] = Answer(body=b"sig")
    gitlab = GitLab(known, server.url)

    assert gitlab.generic_get(7, "widgets", "1.0", "f.sig", max_bytes=10) == b"sig"
    assert "private-token" not in other.asked[0].headers
    del other.routes["/s"]
    assert (
        _code(lambda: gitlab.generic_get(7, "widgets", "1.0", "f.sig", max_bytes=10, known_readable=True))
        == "redirect-target-failed"
    )


def test_missing_and_could_not_tell_stay_apart(
    server: Server, known: Transport, anonymous: Transport
) -> None:
    def ask(transport: Transport, *, known_readable: bool = False) -> bytes | None:
        return GitLab(transport, server.url).generic_get(
            7, "widgets", "1.0", "f.sig", max_bytes=10, known_readable=known_readable
        )

    assert ask(known) is None
    assert ask(anonymous, known_readable=True) is None
    assert _code(lambda: ask(anonymous)) == "credentials-needed"
    server.routes[GENERIC] = Answer(status=404, body=b'{"message":"404 Project Not Found"}')
    assert _code(lambda: ask(known)) == "not-found"
    assert _code(lambda: ask(anonymous, known_readable=True)) == "credentials-needed"
    for status in (401, 403, 500):
        server.routes[GENERIC] = Answer(status=status)
        with pytest.raises(RegistryError):
            ask(known, known_readable=True)


def test_project_info(server: Server, known: Transport) -> None:
    row: dict[str, Any] = {
        "id": 7,
        "path_with_namespace": "acme/widgets",
        "visibility": "private",
        "web_url": "https://g/acme/widgets",
    }
    server.routes["/api/v4/projects/acme%2Fwidgets"] = _json(row | {"default_branch": None})
    gitlab = GitLab(known, server.url)

    info = gitlab.project_info("acme/widgets")

    assert (info.id, info.path, info.default_branch, info.visibility) == (7, "acme/widgets", None, "private")
    broken: list[object] = [row | {"id": "7"}, row | {"id": True}, {"id": 7}, [], "x"]
    for bad in broken:
        server.routes["/api/v4/projects/acme%2Fwidgets"] = _json(bad)
        assert _code(lambda: gitlab.project_info("acme/widgets")) == "bad-answer"
    server.routes["/api/v4/projects/acme%2Fwidgets"] = Answer(body=b"<html>")
    assert _code(lambda: gitlab.project_info("acme/widgets")) == "bad-answer"


def _row(number: int, name: str = "f.sig", sha256: str = SHA, package: int = 3) -> dict[str, Any]:
    return {
        "id": number,
        "package_id": package,
        "file_name": name,
        "file_sha256": sha256,
        "created_at": "2026-01-02T03:04:05.000Z",
    }


def _paged(*pages: list[object]) -> Callable[[Asked], Answer]:
    """Serve pages as GitLab does, with a link to a next page past the end (GitLab issue 471566)."""

    def answer(asked: Asked) -> Answer:
        number = int(asked.target.partition("&page=")[2] or 1)
        return _json(pages[number - 1] if number <= len(pages) else [], x_next_page=str(number + 1))

    return answer


def test_rows_come_newest_first_over_all_pages_and_fuzzy_matches_are_dropped(
    server: Server, known: Transport
) -> None:
    packages = "/api/v4/projects/7/packages"
    server.routes[packages] = _paged(
        [{"id": 2, "name": "widgets-extra", "version": "1.0"}, {"id": 4, "name": "widgets", "version": None}],
        [{"id": 3, "name": "widgets", "version": "1.0"}],
    )
    server.routes[f"{packages}/3/package_files"] = _paged([_row(10), _row(12)], [_row(11, sha256="?")])

    rows = GitLab(known, server.url).package_files(7, "widgets", "1.0")

    assert rows is not None
    assert [row.id for row in rows] == [12, 11, 10]
    assert rows[0].claimed_sha256 == Digest(SHA)
    assert rows[1].claimed_sha256 is None


def test_pages_by_link_header_stay_on_the_list(server: Server, known: Transport) -> None:
    path = "/api/v4/projects/7/packages"
    link = f'<{server.url}{path}?page=1>; rel="first", <{server.url}{path}?page=2>; rel="next"'
    server.routes[path] = _json([{"id": 2, "name": "other", "version": "1"}], Link=link)
    server.routes[path + "?page=2"] = _json([])
    assert GitLab(known, server.url).package_files(7, "widgets", "1.0") == ()

    server.routes[path] = _json(
        [{"id": 2, "name": "other", "version": "1"}], Link='<https://evil.example/>; rel="next"'
    )
    assert _code(lambda: GitLab(known, server.url).package_files(7, "widgets", "1.0")) == "bad-answer"
    server.routes[path] = _json([{"id": 2, "name": "other", "version": "1"}], x_next_page="../x")
    assert _code(lambda: GitLab(known, server.url).package_files(7, "widgets", "1.0")) == "bad-answer"


def test_a_list_without_end_ends(server: Server, known: Transport) -> None:
    server.routes["/api/v4/projects/7/packages"] = _json(
        [{"id": 2, "name": "other", "version": "1"}], x_next_page="2"
    )

    assert _code(lambda: GitLab(known, server.url).package_files(7, "widgets", "1.0")) == "bad-answer"


def test_a_row_by_id_falls_back_on_older_instances(server: Server, known: Transport) -> None:
    row = PackageFile(id=9, package_id=3, file_name="f.sig", claimed_sha256=None)
    gitlab = GitLab(known, server.url)

    assert gitlab.file_by_id(7, row, max_bytes=10) is None
    server.routes["/api/v4/projects/7/packages/3/package_files/9/download"] = Answer(body=b"old")
    assert gitlab.file_by_id(7, row, max_bytes=10) == b"old"


def _group(server: Server, *packages: dict[str, Any]) -> None:
    server.routes["/api/v4/groups/acme/packages"] = _paged(list(packages))


def _pypi(package: int, project: int, name: str = "Acme.Widgets", version: str = "1.0.0") -> dict[str, Any]:
    return {
        "id": package,
        "name": name,
        "version": version,
        "project_id": project,
        "project_path": f"acme/{project}",
    }


def test_the_owner_of_a_groups_file(server: Server, known: Transport) -> None:
    gitlab = GitLab(known, server.url)

    def owner() -> object:
        return gitlab.owner_of("acme", PROJECT, Version("1.0"), WHEEL, Digest(SHA))

    _group(
        server,
        _pypi(3, 7),
        _pypi(4, 8, name="acme-widgets-extra"),
        _pypi(5, 9, version="2.0"),
        _pypi(6, 9, version="x"),
    )
    server.routes["/api/v4/projects/7/packages/3/package_files"] = _json([_row(1, WHEEL)])
    assert getattr(owner(), "project_id", None) == 7
    assert "package_name=widgets" in server.asked[0].target

    _group(server, _pypi(3, 7), _pypi(4, 8))
    server.routes["/api/v4/projects/8/packages/4/package_files"] = _json([_row(1, WHEEL)])
    assert _code(owner) == "ambiguous-owner"

    server.routes["/api/v4/projects/8/packages/4/package_files"] = _json(
        [_row(1, WHEEL, "cd" * 32), _row(2, "x.whl")]
    )
    assert getattr(owner(), "project_id", None) == 7

    _group(server)
    assert _code(owner) == "no-owner"


def test_the_owner_needs_a_token_that_the_route_takes(server: Server, anonymous: Transport) -> None:
    held = credentials_from_environment(
        {"CI_JOB_TOKEN": "j", "CI_API_V4_URL": server.url + "/api/v4"}, use_keyring=False
    )
    with Transport(credentials=held) as job:
        for transport in (anonymous, job):
            with pytest.raises(CredentialsError) as caught:
                GitLab(transport, server.url).owner_of("acme", PROJECT, Version("1.0"), WHEEL, Digest(SHA))
            assert caught.value.code == "token-needed"
            assert "GITLAB_TOKEN" in caught.value.hint
    assert server.asked == []
