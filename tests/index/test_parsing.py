"""Index pages: what becomes a candidate, what is ignored, and what is not a page."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.errors import RegistryError
from pip_warden.index.candidate import IndexPage
from pip_warden.index.simple import parse_page
from pip_warden.names import ProjectName

PROJECT = ProjectName("acme-widgets")
URL = "https://gitlab.example.com/api/v4/projects/7/packages/pypi/simple/acme-widgets"
SHA = "ab" * 32
WHEEL = "acme_widgets-1.0-py3-none-any.whl"
JSON = "application/vnd.pypi.simple.v1+json"
BASE = "https://files.example.com/a/"


def _parse(body: str | bytes, content_type: str = "text/html; charset=utf-8") -> IndexPage:
    raw = body.encode() if isinstance(body, str) else body
    return parse_page(project=PROJECT, source="acme", url=URL, content_type=content_type, body=raw)


def _json(*files: dict[str, Any], **top: Any) -> str:
    return json.dumps({"meta": {"api-version": "1.0"}, "name": "acme-widgets", "files": list(files)} | top)


def _file(**more: Any) -> dict[str, Any]:
    return {"filename": WHEEL, "url": BASE + WHEEL, "hashes": {"sha256": SHA}} | more


def _refused(body: str | bytes, content_type: str = "text/html") -> str:
    with pytest.raises(RegistryError) as caught:
        _parse(body, content_type)
    assert caught.value.code == "bad-index-page"
    return caught.value.message


def test_a_page_in_html_loads_no_second_parser_of_html() -> None:
    code = (
        "import sys; from pip_warden.index.simple import parse_page;"
        f"page = parse_page(project='acme-widgets', source='acme', url={URL!r}, content_type='text/html',"
        f"body=b'<a href=\"{BASE}{WHEEL}\">{WHEEL}</a>');"
        "print(len(page.candidates), sorted({'pypi_simple', 'bs4'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "1 []"


def test_a_gitlab_page_in_html() -> None:
    page = _parse(
        "  <!DOCTYPE html><title>Links for Acme.Widgets</title><h1>Links</h1>"
        f'<a href="{BASE}{WHEEL}#sha256={SHA.upper()}" data-requires-python="&gt;=3.7">{WHEEL}</a>'
        f'<a href="{BASE}acme_widgets-1.0.tar.gz#sha256=" data-requires-python="">acme_widgets-1.0.tar.gz</a>'
    )

    wheel, sdist = page.candidates
    assert (wheel.url, wheel.page_url, wheel.source) == (BASE + WHEEL, URL, "acme")
    assert wheel.claimed_sha256 is not None
    assert wheel.claimed_sha256.hex == SHA
    assert wheel.claimed_requires_python == ">=3.7"
    assert (wheel.claimed_yanked, wheel.claimed_size, wheel.claimed_provenance) == (None, None, None)
    assert (sdist.claimed_sha256, sdist.claimed_requires_python) == (None, None)
    assert page.ignored == ()


@pytest.mark.parametrize("url", ["http://pypi.org/x", "https://u:p@pypi.org/x"])
def test_provenance_is_asked_for_where_files_would_be(url: str) -> None:
    (candidate,) = _parse(_json(_file(provenance=url)), JSON).candidates

    assert candidate.claimed_provenance is None


def test_every_field_of_a_json_page() -> None:
    page = _parse(
        _json(
            _file(
                **{
                    "requires-python": ">=3.11",
                    "yanked": "broken",
                    "size": 5,
                    "upload-time": "2026-01-02T03:04:05.678901Z",
                    "provenance": "https://pypi.org/integrity/x/provenance",
                }
            ),
            _file(
                filename="acme_widgets-2.0.tar.gz", url="../x/acme_widgets-2.0.tar.gz", yanked=True, hashes={}
            ),
            _file(yanked=False, size=-1),
        ),
        JSON + "; charset=utf-8",
    )

    full, relative, plain = page.candidates
    assert full.claimed_requires_python == ">=3.11"
    assert (full.claimed_yanked, full.claimed_size) == ("broken", 5)
    assert full.claimed_upload_time == datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
    assert full.claimed_provenance == "https://pypi.org/integrity/x/provenance"
    assert (
        relative.url == "https://gitlab.example.com/api/v4/projects/7/packages/pypi/x/acme_widgets-2.0.tar.gz"
    )
    assert (relative.claimed_yanked, relative.claimed_sha256) == ("", None)
    assert (plain.claimed_yanked, plain.claimed_size) == (None, None)


def test_relative_links_and_base() -> None:
    page = _parse(f'<base href="/root/"><a href="f/{WHEEL}" data-yanked>{WHEEL}</a>')

    assert page.candidates[0].url == f"https://gitlab.example.com/root/f/{WHEEL}"
    assert page.candidates[0].claimed_yanked == ""


def test_a_newer_minor_version_is_read() -> None:
    assert _parse(_json(_file(), meta={"api-version": "1.99"}), JSON).candidates
    assert _parse(
        f'<meta name="pypi:repository-version" content="1.99"><a href="{BASE}{WHEEL}">{WHEEL}</a>'
    ).candidates


@pytest.mark.parametrize(
    "href",
    [
        f"{BASE}%252e%252e%252f{WHEEL}",
        f"{BASE}..%2F{WHEEL}",
        f"{BASE}x%5C{WHEEL}",
        f"{BASE}{WHEEL}%00",
        f"{BASE}{WHEEL}/",
        f"{BASE}{WHEEL}%2Fother",
        f"{BASE}other-1.0-py3-none-any.whl",
        f"https:\\\\evil\\{WHEEL}",
        f"{BASE}x\\{WHEEL}",
        f"https://user:pw@files.example.com/{WHEEL}",
        f"http://files.example.com/{WHEEL}",
        f"ftp://files.example.com/{WHEEL}",
        f"file:///{WHEEL}",
        f"javascript:{WHEEL}",
        f"https://a:b/{WHEEL}",
        f"https://files.example.com/\t{WHEEL}",
        f"https://files.example.com/\n{WHEEL}",
        f" {BASE}{WHEEL}",
        f"https://é.example/{WHEEL}",
        "",
        BASE + "a" * 9000 + "/" + WHEEL,
    ],
)
def test_t45_an_entry_whose_url_is_not_plainly_its_own_is_ignored(href: str) -> None:
    page = _parse(_json(_file(url=href), _file()), JSON)

    assert len(page.candidates) == 1
    assert page.ignored[0][0] == WHEEL
    assert "URL" in page.ignored[0][1]


def test_t45_a_name_may_be_encoded_once() -> None:
    name = "acme_widgets-1!1.0+abc-py3-none-any.whl"

    page = _parse(f'<a href="{BASE}{name.replace("!", "%21").replace("+", "%2B")}">{name}</a>')

    assert page.candidates[0].name.filename == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../x.whl",
        "x.whl",
        "a-1.0.zip",
        "a-1.0.tar.gz\u202e",
        "x" * 300,
        "a\x00-1.0.tar.gz",
        "a/b-1.0.tar.gz",
    ],
)
def test_a_name_that_is_no_artifact_is_ignored(name: str) -> None:
    page = _parse(_json(_file(filename=name)), JSON)

    assert page.candidates == ()
    assert page.ignored[0][0] == name[:255]


def test_two_digests_for_one_entry_are_none_to_go_by() -> None:
    page = _parse(_json(_file(url=f"{BASE}{WHEEL}#sha256={'cd' * 32}")), JSON)

    assert page.candidates == ()
    assert "SHA-256" in page.ignored[0][1]


@pytest.mark.parametrize(
    ("filename", "url"),
    [
        (WHEEL, f"http://files.example.com/{WHEEL}"),
        (WHEEL, f"{BASE}{WHEEL}#sha256={'cd' * 32}"),
        ("innocent.txt", BASE + WHEEL),
        ("innocent.txt", f"{BASE}{WHEEL}?x#y"),
        ("innocent.txt", f"{BASE}{WHEEL.replace('-', '%2D')}"),
        ("innocent.txt", f"{BASE}a%2F{WHEEL}/"),
        ("innocent.txt", f"{BASE}{'a' * 9000}/{WHEEL}"),
        (WHEEL, BASE + "innocent.txt"),
    ],
)
@pytest.mark.parametrize("form", ["json", "html"])
def test_b09_what_an_installer_may_take_an_ignored_entry_for_is_told(
    filename: str, url: str, form: str
) -> None:
    entry = _file(filename=filename, url=url)
    page = (
        _parse(_json(entry), JSON)
        if form == "json"
        else _parse(
            f'<a href="{url}&sha256={SHA}">{filename}</a>'
            if "#" in url
            else f'<a href="{url}">{filename}</a>'
        )
    )

    assert page.candidates == ()
    assert [name.filename for name in page.unusable] == [WHEEL]


@pytest.mark.parametrize("digest", ["", "x", "ab" * 31, "md5"])
def test_a_digest_that_is_none_is_no_claim(digest: str) -> None:
    assert _parse(_json(_file(hashes={"sha256": digest})), JSON).candidates[0].claimed_sha256 is None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<a>", ""),
        ("<a>", "application/octet-stream"),
        ("{}", "application/json"),
        ("{}", "application/vnd.pypi.simple.v2+json"),
        ("{}", JSON),
        ("[]", JSON),
        ("{", JSON),
        (_json(meta={"api-version": "2.0"}), JSON),
        (_json(meta={"api-version": 1.0}), JSON),
        (_json(meta=None), JSON),
        (_json(name="other"), JSON),
        (_json(name=None), JSON),
        (_json(files=None), JSON),
        (_json(files=[1]), JSON),
        (_json({"filename": WHEEL}), JSON),
        (_json(_file(hashes=None)), JSON),
        (_json(_file(size="x")), JSON),
        (_json(_file(url="https://[::/x")), JSON),
        ('{"name":"acme-widgets","name":"acme-widgets","meta":{"api-version":"1.0"},"files":[]}', JSON),
        ('<meta name="pypi:repository-version" content="2.0">', "text/html"),
        ('<meta name="pypi:repository-version" content="x">', "text/html"),
        (b"\xff", "text/html; charset=utf-8"),
        (b"a", "text/html; charset=utf-7"),
        (b"<base href='https://[' ><a href='x'>x</a>", "text/html"),
    ],
)
def test_what_is_no_page_of_the_project_is_undecided(body: str | bytes, content_type: str) -> None:
    _refused(body, content_type)


def test_the_message_shows_no_query() -> None:
    with pytest.raises(RegistryError) as caught:
        parse_page(project=PROJECT, source="a", url=URL + "?token=hush", content_type="", body=b"")

    assert "hush" not in caught.value.message


_tokens = st.sampled_from(
    [
        "<a ",
        'href="',
        BASE,
        WHEEL,
        '"',
        ">",
        "</a>",
        "<base ",
        "<!",
        "<![",
        "<?",
        "&#",
        "data-yanked",
        "#sha256=",
        SHA,
        "\\",
        "%2F",
        "[",
    ]
)


@given(st.lists(_tokens | st.text(max_size=5)).map("".join) | st.binary())
def test_t14_no_html_escapes_as_a_foreign_error(body: str | bytes) -> None:
    _survives(body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body, "text/html")


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([WHEEL, BASE + WHEEL, SHA]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["filename", "url", "hashes", "sha256", "files", "meta", "name"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
_fields = st.sampled_from(
    ["url", "hashes", "requires-python", "yanked", "size", "upload-time", "provenance", "core-metadata"]
)


@given(
    st.dictionaries(_fields, _values),
    st.dictionaries(st.sampled_from(["meta", "versions", "project-status", "x"]), _values),
)
def test_t14_no_json_escapes_as_a_foreign_error(file: dict[str, Any], top: dict[str, Any]) -> None:
    _survives(_json(_file(**file), **top).encode(), JSON)


@given(st.text(), st.binary(max_size=20))
def test_t14_no_content_type_escapes_as_a_foreign_error(content_type: str, body: bytes) -> None:
    _survives(body, content_type)


def _survives(body: bytes, content_type: str) -> None:
    try:
        page = _parse(body, content_type)
    except RegistryError:
        return
    for candidate in page.candidates:
        assert candidate.url.startswith(("https://", "http://"))
        assert "#" not in candidate.url
