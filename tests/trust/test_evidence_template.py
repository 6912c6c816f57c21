"""Where a source has its evidence: the template of a simple index, beside those of a GitLab."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.errors import TrustFileError, UsageError
from pip_warden.trust.editing.render import render_source
from pip_warden.trust.file import parse
from pip_warden.trust.locations import parse_evidence_url
from pip_warden.trust.model import DEFAULT_EVIDENCE, Source

PYPI = "https://pypi.org/simple"
INTEGRITY = "https://pypi.org/integrity/{name}/{version}/{filename}/provenance"
OTHER = "https://index.example.com/simple"


def source(url: str = OTHER, kind: str = "simple", evidence: str | None = None) -> Source:
    line = "" if evidence is None else f"evidence = {evidence}\n"
    (found,) = parse(f'version = 1\n[source.x]\ntype = "{kind}"\nurl = "{url}"\n{line}', Path("x")).sources
    return found


def test_only_pypi_has_a_default() -> None:
    assert source(PYPI).evidence == source(PYPI + "/").evidence == (INTEGRITY,)
    assert source(PYPI.replace("pypi.org", "test.pypi.org")).evidence == ()
    assert source("https://pypi.org/legacy/simple").evidence == ()
    assert source(OTHER).evidence == ()
    assert source("https://gitlab.com", "gitlab").evidence == DEFAULT_EVIDENCE


def test_a_source_made_by_a_program_has_the_same_defaults() -> None:
    assert Source(name="x", type="simple", url=PYPI) == source(PYPI)
    assert Source(name="x", type="gitlab", url="https://gitlab.com") == source("https://gitlab.com", "gitlab")


def test_no_fault_repeats_the_password_of_a_url_in_the_place_of_a_name() -> None:
    with pytest.raises(TrustFileError) as caught:
        source(kind="https://me:hunter2@example.com")
    assert "https://***@example.com" in str(caught.value.faults)
    assert "hunter2" not in str(caught.value.faults)


@pytest.mark.parametrize("shape", ['"{}"', '["{}"]'])
@pytest.mark.parametrize(
    "template",
    [
        "https://me:hunter2@example.com/{filename}",
        "https:/me:hunter2@example.com/{filename}",
        "me:hunter2@example.com/{filename}",
        "//me:hunter2@example.com/{filename}",
        "https://example.com/{filename}?token=hunter2",
        "example.com/{filename}?token=hunter2",
        "https://example.com/{filename}#hunter2",
    ],
)
def test_no_fault_repeats_what_may_be_a_password(template: str, shape: str) -> None:
    for kind in ("simple", "gitlab"):
        with pytest.raises(TrustFileError) as caught:
            source(kind=kind, evidence=shape.format(template))
        assert "hunter2" not in str(caught.value.faults)
    with pytest.raises(TrustFileError) as caught:
        source(template)
    assert "hunter2" not in str(caught.value.faults)


@pytest.mark.parametrize(
    "template",
    [
        INTEGRITY,
        "https://evidence.example.com/{filename}.provenance",
        "https://evidence.example.com:8443/a/{name}/{name}-{version}/{filename}",
        "http://127.0.0.1:8080/{filename}",
    ],
)
def test_a_template_is_read_and_written(template: str) -> None:
    found = source(evidence=f'"{template}"')
    assert found.evidence == (template,)
    (again,) = parse("version = 1\n" + render_source(found), Path("x")).sources
    assert again == found


def test_a_default_is_not_written() -> None:
    assert "evidence" not in render_source(source(PYPI))
    assert "evidence" not in render_source(source(OTHER))
    assert "evidence" not in render_source(source("https://gitlab.com", "gitlab"))
    assert "evidence" in render_source(source(PYPI, evidence='"https://pypi.org/other/{filename}"'))


@pytest.mark.parametrize(
    ("kind", "evidence"),
    [
        ("simple", '"{name}/{version}"'),
        ("simple", '["{name}/{version}"]'),
        ("simple", f'["{INTEGRITY}"]'),
        ("simple", "[]"),
        ("simple", '""'),
        ("simple", "7"),
        ("simple", '"https://example.com/{name}/{version}"'),
        ("simple", '"https://{filename}.example.com/"'),
        ("simple", '"https://{name}.example.com/{filename}"'),
        ("simple", '"{name}://example.com/{filename}"'),
        ("simple", '"https://example.com/{filename}/{digest}"'),
        ("simple", '"https://example.com/{filename}/{"'),
        ("simple", '"https://example.com/{filename}?v={version}"'),
        ("simple", '"https://example.com/{filename}#x"'),
        ("simple", '"https://example.com/../{filename}"'),
        ("simple", '"https://example.com//{filename}"'),
        ("simple", '"https://example.com/%7Bname%7D/{filename}"'),
        ("simple", '"https://me:pw@example.com/{filename}"'),
        ("simple", '"http://example.com/{filename}"'),
        ("simple", '"file:///{filename}"'),
        ("simple", '"https:///{filename}"'),
        ("gitlab", f'"{INTEGRITY}"'),
    ],
)
def test_anything_else_is_a_fault_with_its_path(kind: str, evidence: str) -> None:
    with pytest.raises(TrustFileError) as caught:
        source(kind=kind, evidence=evidence)
    ((path, message),) = caught.value.faults
    assert path in {"source.x", "source.x.evidence"}
    assert "pw" not in message


@given(st.text(max_size=60) | st.text(alphabet="{}filenamvrso:/@.%?#https", max_size=60))
def test_no_text_is_read_but_a_plain_url_with_the_files_name(text: str) -> None:
    try:
        read = parse_evidence_url(text)
    except UsageError:
        return
    assert read == text
    assert text.startswith(("https://", "http://"))
    assert "{filename}" in text.split("/", 3)[3]
    assert not set("@?#%\\") & set(text)


def test_a_package_of_a_simple_index_has_no_template_of_its_own() -> None:
    text = f'''version = 1
[sigstore]
trusted-root = "r"
trusted-root-sha256 = "{"0" * 64}"
issuers = ["https://gitlab.com"]
[source.x]
type = "simple"
url = "{OTHER}"
[[package]]
name = "kit"
source = "x"
evidence = "{{name}}/{{version}}"
  [[package.identity]]
  issuer = "https://gitlab.com"
  subject = "https://gitlab.com/a/b//.gitlab-ci.yml@refs/tags/v{{version}}"
'''
    with pytest.raises(TrustFileError) as caught:
        parse(text, Path("x"))
    assert [path for path, _ in caught.value.faults] == ["package[0].evidence"]
