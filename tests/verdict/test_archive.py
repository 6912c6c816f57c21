"""Steps 3 to 5: name, archive, digest; and revocation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from packaging.version import Version

import samples
from pip_warden.digests import digest_of
from pip_warden.faults import Fault
from pip_warden.names import ProjectName
from pip_warden.trust.model import Revocation
from pip_warden.verdict import archive

OTHER = digest_of(b"other bytes")


def _asked(**changes: Any) -> tuple[Any, Any]:
    values: dict[str, Any] = {"artifact": samples.artifact(), "candidate": samples.candidate()}
    return tuple((values | changes).values())


def _code(fault: Fault | None) -> str | None:
    return fault.code if fault else None


def test_t20_the_same_name_everywhere_passes() -> None:
    assert archive.check_name(*_asked(), samples.PROJECT, samples.entry()) is None
    assert archive.check_archive(samples.artifact()) is None


def test_t20_a_file_of_another_project_is_refused() -> None:
    renamed = samples.artifact("other-1.0-py3-none-any.whl")

    assert (
        _code(archive.check_name(*_asked(artifact=renamed), samples.PROJECT, samples.entry()))
        == "wrong-project"
    )


def test_t20_a_name_that_differs_anywhere_is_refused() -> None:
    """The page's entry, the requested project, and the pin: each alone."""
    other, entry = ProjectName("other"), samples.entry()
    listed = _asked(candidate=samples.candidate("other-1.0-py3-none-any.whl"))

    assert _code(archive.check_name(*listed, samples.PROJECT, entry)) == "wrong-project"
    assert _code(archive.check_name(*_asked(), other, entry)) == "wrong-project"
    assert (
        _code(archive.check_name(*_asked(), samples.PROJECT, replace(entry, project=other)))
        == "wrong-project"
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"project": ProjectName("other")}, "name-inside-differs"),
        ({"version": Version("0.9")}, "version-inside-differs"),
        ({"version": Version("1.0+local")}, "version-inside-differs"),
        ({"tags": frozenset({"py2-none-any"})}, "tags-inside-differ"),
        ({"tags": frozenset()}, "tags-inside-differ"),
        ({"build": "7"}, "build-inside-differs"),
        ({"direct_references": ("x @ https://evil.example/x.whl",)}, "direct-reference"),
    ],
)
def test_t20_what_the_archive_says_must_be_what_its_name_says(change: dict[str, Any], code: str) -> None:
    assert _code(archive.check_archive(samples.artifact(contents=samples.contents(**change)))) == code


@pytest.mark.parametrize(
    ("outside", "inside", "same"), [("1", "1", True), ("01x", "1x", True), ("1x", "1y", False)]
)
def test_build_tags_compare_as_pep_427_sorts_them(outside: str, inside: str, same: bool) -> None:
    wheel = samples.artifact(
        f"acme_widgets-1.0-{outside}-py3-none-any.whl", contents=samples.contents(build=inside)
    )

    assert _code(archive.check_archive(wheel)) == (None if same else "build-inside-differs")


def test_a_malformed_archive_is_refused_with_its_own_code() -> None:
    fault = Fault(code="malformed-wheel", expected="a wheel", found="noise")

    assert archive.check_archive(samples.artifact(contents=fault)) == fault


def test_a_lying_index_digest_is_refused() -> None:
    listed = _asked(candidate=samples.candidate(digest=OTHER))

    assert _code(archive.check_digest(*listed, samples.entry())) == "index-digest-differs"
    assert archive.check_digest(*_asked(candidate=samples.candidate(digest=None)), samples.entry()) is None


def test_t60_a_hash_pin_speaks_of_its_files_only() -> None:
    sibling = {"acme_widgets-1.0.tar.gz": samples.DIGEST}

    assert archive.check_digest(*_asked(), samples.hash_entry()) is None
    assert (
        _code(archive.check_digest(*_asked(), samples.hash_entry({samples.WHEEL: OTHER})))
        == "pinned-digest-differs"
    )
    assert _code(archive.check_digest(*_asked(), samples.hash_entry(sibling))) == "file-not-in-hash-pin"


@pytest.mark.parametrize(
    ("revocation", "hit"),
    [
        (Revocation(reason="r", sha256=samples.DIGEST), True),
        (Revocation(reason="r", sha256=OTHER), False),
        (Revocation(reason="r", project=samples.PROJECT), True),
        (Revocation(reason="r", project=samples.PROJECT, version=Version("1.0")), True),
        (Revocation(reason="r", project=samples.PROJECT, version=Version("2.0")), False),
        (Revocation(reason="r", project=ProjectName("other")), False),
    ],
)
def test_t60_revocation_by_digest_name_and_version(revocation: Revocation, hit: bool) -> None:
    fault = archive.check_revoked(samples.artifact(), (revocation,))

    assert _code(fault) == ("revoked" if hit else None)
