"""What a registry's URL asks for: a few shapes, read strictly."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pip_warden.installer.model import FileQuestion
from pip_warden.installer.routes import (
    FileRoute,
    PageRoute,
    ReleaseRoute,
    Route,
    find_route,
    origin_in,
    same_place,
)
from pip_warden.names import ProjectName, parse_artifact_name, parse_project_name
from pip_warden.trust.source import Source

GITLAB = "https://gitlab.example.com/git"
PYPI = "https://pypi.org/simple"
NESTED = "https://nexus.example.com/repository/simple"
MIRROR = "https://mirror.example.com:8443/pypi"
SOURCES = (
    Source(name="acme", type="gitlab", url=GITLAB),
    Source(name="pypi", type="simple", url=PYPI, mirror=MIRROR),
    Source(name="nexus", type="simple", url=NESTED),
)
API = f"{GITLAB}/api/v4"
HOST = "https://files.pythonhosted.org"
SHA = "ab" * 32
WHEEL = "acme_widgets-1.0-py3-none-any.whl"
WIDGETS = ProjectName("acme-widgets")


def _gitlab(*, registry: str | None = None, group: str | None = None) -> PageRoute:
    return PageRoute(project=WIDGETS, source="acme", registry=registry, group=group)


def _file(url: str, filename: str = WHEEL, sha256: str = "", *, is_metadata: bool = False) -> FileRoute:
    asked = FileQuestion(filename=filename, url=url, sha256=sha256)
    return FileRoute(asked=asked, is_metadata=is_metadata)


_IN_PROJECT = f"{API}/projects/7/packages/pypi/files/{SHA}/{WHEEL}"
_IN_GROUP = f"{API}/groups/acme/-/packages/pypi/files/{SHA}/{WHEEL}"
_LOCAL = f"{HOST}/packages/ab/cd/ef/acme-1%212.0%2Bcu1-py3-none-any.whl"


@pytest.mark.parametrize(
    ("url", "route"),
    [
        (f"{API}/projects/7/packages/pypi/simple/acme-widgets", _gitlab(registry="7")),
        (
            f"{API}/projects/acme%2Fwidgets/packages/pypi/simple/acme-widgets/",
            _gitlab(registry="acme/widgets"),
        ),
        (
            f"{API}/projects/acme%2fwidgets/packages/pypi/simple/Acme_Widgets/",
            _gitlab(registry="acme/widgets"),
        ),
        (f"{API}/groups/acme/-/packages/pypi/simple/acme-widgets/", _gitlab(group="acme")),
        (f"{API}/groups/12/-/packages/pypi/simple/acme.widgets", _gitlab(group="12")),
        (_IN_PROJECT, _file(_IN_PROJECT, sha256=SHA)),
        (f"{_IN_PROJECT}.metadata", _file(_IN_PROJECT, sha256=SHA, is_metadata=True)),
        (_IN_PROJECT.replace(SHA, SHA.upper()), _file(_IN_PROJECT.replace(SHA, SHA.upper()), sha256=SHA)),
        (_IN_GROUP, _file(_IN_GROUP, sha256=SHA)),
        (f"{PYPI}/acme-widgets/", PageRoute(project=WIDGETS, source="pypi")),
        (f"{PYPI}/Acme.Widgets", PageRoute(project=WIDGETS, source="pypi")),
        (f"{MIRROR}/acme-widgets/", PageRoute(project=WIDGETS, source="pypi")),
        (f"{NESTED}/acme-widgets/", PageRoute(project=WIDGETS, source="nexus")),
        (f"{HOST}/packages/ab/cd/ef/{WHEEL}", _file(f"{HOST}/packages/ab/cd/ef/{WHEEL}")),
        (f"{HOST}/{WHEEL}.metadata", _file(f"{HOST}/{WHEEL}", is_metadata=True)),
        (_LOCAL, _file(_LOCAL, "acme-1!2.0+cu1-py3-none-any.whl")),
        (f"{NESTED}/{WHEEL}", _file(f"{NESTED}/{WHEEL}")),
        (f"https://nexus.example.com/f/{WHEEL}", _file(f"https://nexus.example.com/f/{WHEEL}")),
        (
            "https://pypi.org/pypi/Acme_Widgets/1.0/json",
            ReleaseRoute(project=WIDGETS, version="1.0", source="pypi"),
        ),
        (
            "https://nexus.example.com/repository/pypi/acme-widgets/1!2.0/json",
            ReleaseRoute(project=WIDGETS, version="1!2.0", source="nexus"),
        ),
    ],
)
def test_the_shapes_that_registries_have(url: str, route: Route) -> None:
    assert find_route(url, SOURCES) == route


_PAGE = f"{API}/projects/7/packages/pypi/simple/acme-widgets"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/simple/acme-widgets/",
        "gitlab.example.com:443",
        GITLAB,
        f"{_PAGE}?format=json",
        f"{_PAGE}?",
        f"{_PAGE}#x",
        f"{API}/projects/7/packages/pypi/simple",
        f"{API}/projects/7/packages/pypi/simple/",
        f"{API}/projects/7/packages/pypi//simple/acme-widgets",
        f"{API}/projects/7/packages/pypi/simple/acme-widgets//",
        f"{API}/projects/7/packages/pypi/simple/../simple/acme-widgets",
        f"{API}/projects/7/packages/pypi/simple/%2e%2e/acme-widgets",
        f"{API}/projects/7/packages/pypi/simple/acme%2Fwidgets",
        f"{API}/projects/7/packages/pypi/simple/acme%252Dwidgets",
        f"{API}/projects/acme%252Fwidgets/packages/pypi/simple/acme-widgets",
        f"{API}/projects/acme%2F..%2Fwidgets/packages/pypi/simple/acme-widgets",
        f"{API}/projects/%2Facme/packages/pypi/simple/acme-widgets",
        f"{API}/projects/acme/widgets/packages/pypi/simple/acme-widgets",
        f"{API}/projects/7/packages/pypi/files//{WHEEL}",
        f"{API}/projects/7/packages/pypi/files/{SHA}/{WHEEL}/",
        f"{API}/projects/7/packages/pypi/files/{SHA}/..%2f{WHEEL}",
        f"{API}/projects/7/packages/pypi/files/{SHA}/acme-1.0.zip",
        f"{API}/projects/7/packages/pypi/files/{SHA}/{WHEEL}.metadata.metadata",
        f"{API}/projects/7",
        "https://gitlab.example.com/acme/widgets.git/info/refs",
        f"https://user:secret@pypi.org/simple/{WHEEL}",
        "https://pypi.org/simple/",
        "https://pypi.org/simple/-/",
        "https://pypi.org/pypi/acme-widgets/json",
        "https://pypi.org/pypi/acme-widgets/1.0/json/",
        "https://pypi.org/pypi/acme-widgets/latest/json",
        f"{MIRROR.removesuffix('/pypi')}/pypi/acme-widgets/1.0/json",
        "https://nexus.example.com/repository/other/acme-widgets/",
        "http://pypi.org/simple/acme-widgets/",
        "https://evil.example/simple/acme-widgets/",
        "https://pypi.org:8443/simple/acme-widgets/",
        f"{HOST}/",
        f"{HOST}/packages/{WHEEL}/",
        f"{HOST}/packages/../{WHEEL}",
        f"{HOST}/packages/%2e%2E/{WHEEL}",
        f"{HOST}//{WHEEL}",
        f"{HOST}/packages/ab/acme.tar.bz2",
        f"{HOST}\\@pypi.org/simple/acme/",
    ],
)
def test_everything_else_asks_for_nothing_that_is_here(url: str) -> None:
    assert find_route(url, SOURCES) is None


def test_two_sources_of_one_origin_are_told_apart_by_their_paths() -> None:
    one = Source(name="one", type="simple", url="https://nexus.example.com/one/simple")
    two = Source(name="two", type="simple", url="https://nexus.example.com/two/simple")
    for source in (one, two):
        found = find_route(f"{source.url}/acme-widgets/", (one, two))
        assert found == PageRoute(project=WIDGETS, source=source.name)


@pytest.mark.parametrize(
    "url",
    [
        f"{API}/projects/7/packages/generic/acme/1.0/{WHEEL}",
        f"{API}/projects/7/packages/pypi/files/{SHA[1:]}/{WHEEL}",
        f"https://gitlab.example.com/api/v4/projects/7/packages/pypi/files/{SHA}/{WHEEL}",
        f"https://gitlab.example.com/{WHEEL}",
    ],
)
def test_elsewhere_a_path_says_only_a_files_name(url: str) -> None:
    assert find_route(url, SOURCES) == _file(url)


def test_where_a_file_is_does_not_depend_on_how_it_is_spelled() -> None:
    assert same_place("https://h.example/a/x+1.whl", "https://h.example:443/a/x%2b1.whl")
    assert not same_place("https://h.example/a/x.whl", "https://g.example/a/x.whl")
    assert not same_place("https://h.example/a/x.whl", "https://h.example/b/x.whl")
    assert origin_in("file:///etc/passwd") == ""


_SEGMENTS = (
    "api v4 projects groups - 7 acme%2Fwidgets packages pypi simple files acme-widgets 1.0 json git "
    "repository .. %2e%2e %2f"
)
_WORDS = st.sampled_from([*_SEGMENTS.split(), SHA, WHEEL, f"{WHEEL}.metadata", ""])
_BASES = st.sampled_from([GITLAB, PYPI, NESTED, MIRROR, HOST, "https://pypi.org", "https://evil.example", ""])
_URLS = st.one_of(
    st.builds(lambda base, words: "/".join([base, *words]), _BASES, st.lists(_WORDS, max_size=9)),
    st.builds(str.__add__, _BASES, st.text(max_size=40)),
    st.text(max_size=60),
)


@given(_URLS)
@example("https://[")
@example("http://[::1")
@example("https://pypi.org:99999999/simple/x/")
def test_whatever_is_asked_for_is_a_name_that_its_parser_takes(url: str) -> None:
    match find_route(url, SOURCES):
        case FileRoute() as found:
            name = parse_artifact_name(found.asked.filename)
            assert "/" not in name.filename
            assert url == found.asked.url + (".metadata" if found.is_metadata else "")
        case PageRoute() as found:
            assert parse_project_name(found.project) == found.project
            homes = [
                home
                for source in SOURCES
                if source.name == found.source
                for home in (source.url, source.home)
            ]
            assert origin_in(url) in {origin_in(home) for home in homes}
        case ReleaseRoute() as found:
            assert parse_project_name(found.project) == found.project
        case None:
            pass
