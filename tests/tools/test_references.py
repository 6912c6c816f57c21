"""What leads past the gate, by its text alone; whatever stands in files, nothing breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pip_warden.tools.around import Pinned, normal_url, shown
from pip_warden.tools.known import recognise
from pip_warden.tools.model import Elsewhere
from pip_warden.tools.references import Bounds

PINNED = Pinned.of(["https://pypi.org/simple/", "https://gitlab.example/sub", "https://host.example:8443"])


@pytest.mark.parametrize(
    ("url", "is_pinned"),
    [
        ("https://pypi.org/simple", True),
        ("https://user:secret@PyPI.org:443/simple/", True),
        ("https://pypi.org./simple/", True),
        ("https://gitlab.example/sub/api/v4/projects/a%2Fb/packages/pypi/simple", True),
        ("https://gitlab.example/sub/api/v4/groups/7/-/packages/pypi/simple/", True),
        ("https://host.example:8443", True),
        ("http://pypi.org/simple", False),
        ("https://pypi.org:8443/simple", False),
        ("https://host.example", False),
        ("https://pypi.org/simple/other", False),
        ("https://pypi.org/simple?x=1", False),
        ("https://pypi.org@evil.example/simple", False),
        ("https://pypi.org.evil.example/simple", False),
        ("https://gitlab.example/api/v4/projects/7/packages/pypi/simple", False),
        ("https://gitlab.example/subversive/api/v4/projects/7/packages/pypi/simple", False),
        ("https://gitlab.example/sub/api/v4/projects/7/packages/generic/simple", False),
        ("file:///simple", False),
        ("./simple", False),
        ("pypi", False),
        ("https://[", False),
        ("https://pypi.org:x/simple", False),
    ],
)
def test_which_indexes_are_pinned(url: str, is_pinned: bool) -> None:
    assert PINNED.has(url) is is_pinned


def found(text: str, root: Path) -> str:
    item = next(iter(Bounds(root=root, pinned=PINNED).reference(text, root, "it", "here")), None)
    if isinstance(item, Elsewhere):
        assert item.adds_source
        return "elsewhere"
    return "by name" if item is None else "own"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("requests", "by name"),
        ("requests[socks]>=2,<3; os_name == 'nt'", "by name"),
        ("requests@^2.0", "by name"),
        ("requests@latest", "by name"),
        ("a==1 --hash=sha256:00", "by name"),
        (".", "own"),
        ("./sub[extra]", "own"),
        ("file:sub", "own"),
        ("a @ file:./sub", "own"),
        ("link", "by name"),
        ("./link", "elsewhere"),
        ("..", "elsewhere"),
        ("./sub/../../x", "elsewhere"),
        ("/", "elsewhere"),
        ("~/x", "elsewhere"),
        ("~nobody-has-this-name/x", "elsewhere"),
        ("a.whl", "elsewhere"),
        ("./a-1.tar.gz[x]", "elsewhere"),
        ("a @ ./a-1.zip", "elsewhere"),
        ("file:///x", "elsewhere"),
        ("a @ FILE://localhost/x", "elsewhere"),
        ("a@https://pypi.org/simple/a.whl", "elsewhere"),
        ("HTTPS://pypi.org/a", "elsewhere"),
        ("git+https://h/x", "elsewhere"),
        ("x @ git+file:///x", "elsewhere"),
        ("git@h.example:x", "elsewhere"),
        ("ssh://git@h/x", "elsewhere"),
        ("x @ hg+http://h", "elsewhere"),
        ("name @ \0", "by name"),
        ("name @ ${URL}", "elsewhere"),
        ("$NAME", "elsewhere"),
    ],
)
def test_where_a_reference_leads(tmp_path: Path, text: str, what: str) -> None:
    root = tmp_path / "project"
    (root / "sub").mkdir(parents=True)
    (root / "link").symlink_to(tmp_path)
    assert found(text, root) == what


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("https://user:secret@h.example/x?secret#f", "https://…@h.example/x?…"),
        ("git+https://secret@h.example/x@main", "git+https://…@h.example/x@main"),
        ("https://user:sec/ret@h.example", "…@h.example"),
        ("git@h.example:x", "…@h.example:x"),
        ("../a\x1b", "../a\\u001b"),
    ],
)
def test_what_is_shown_has_no_secrets(text: str, safe: str) -> None:
    assert shown(text) == safe


TOML = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just("x @ git+https://h/x")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "project",
                    "dependencies",
                    "tool",
                    "uv",
                    "poetry",
                    "pdm",
                    "sources",
                    "index",
                    "url",
                    "path",
                    "git",
                    "source",
                    "pip",
                    "find-links",
                    "workspace",
                    "members",
                    "group",
                    "pypi",
                    "build-system",
                    "requires",
                    "resolution",
                    "overrides",
                    "dependency-groups",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {_toml(item)}' for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool) or value is None:
        return "true" if value else "false"
    return repr(value) if isinstance(value, int) else f"'{str(value).encode('unicode_escape').decode()}'"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.dictionaries(st.sampled_from(["tool", "project", "build-system"]), TOML, max_size=3))
def test_odd_tables_break_nothing(tmp_path: Path, table: dict[str, object]) -> None:
    text = "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())
    for name in ("pyproject.toml", "uv.toml", "pdm.toml", "poetry.toml"):
        (tmp_path / name).write_text(text, encoding="utf-8", errors="replace")
    for words in (("uv", "sync"), ("poetry", "install"), ("pdm", "sync"), ("hatch", "run", "x")):
        assert recognise(
            words,
            environ={"HOME": str(tmp_path), "PATH": ""},
            directory=tmp_path,
            index_urls=(),
            private=tmp_path / "private",
        )


def test_normal_urls_are_normal() -> None:
    assert normal_url("HTTPS://u@[::1]:443/x//") == "https://[::1]/x"
    assert normal_url("ftp://x/") is None
