"""Step 2: page and file URLs are those of the entry's source."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.version import Version

import samples
from pip_warden.digests import Digest, digest_of
from pip_warden.faults import Fault
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.names import parse_artifact_name
from pip_warden.trust.model import Source
from pip_warden.verdict import origin
from pip_warden.verdict.listing import Listing, list_page
from pip_warden.verdict.model import Refused, Step


def _code(page: object, **changes: object) -> str | None:
    fault = origin.check_page(page, samples.PROJECT, samples.entry(**changes), samples.SOURCE)  # type: ignore[arg-type]
    return fault.code if fault else None


def test_the_pinned_projects_own_page_passes() -> None:
    assert _code(samples.page()) is None
    assert _code(samples.page(url=samples.page_url() + "/")) is None


def test_a_page_under_the_recorded_numeric_id_passes() -> None:
    url = f"{samples.GITLAB}/api/v4/projects/4711/packages/pypi/simple/acme-widgets"

    assert _code(samples.page(url=url), registry_id=4711) is None
    assert _code(samples.page(url=url)) == "foreign-index-page"


@pytest.mark.parametrize(
    "url",
    [
        "https://pypi.org/simple/acme-widgets/",
        "https://gitlab.example.com.evil/api/v4/projects/acme%2Fwidgets/packages/pypi/simple/acme-widgets",
        f"{samples.GITLAB}/api/v4/projects/acme%2Fother/packages/pypi/simple/acme-widgets",
        f"{samples.GITLAB}/api/v4/projects/acme%2Fwidgets/packages/pypi/simple/other",
        f"{samples.GITLAB}/api/v4/projects/acme%2Fwidgets/packages/pypi/simple/acme-widgets?upstream_url=x",
        f"{samples.GITLAB}/api/v4/groups/acme/-/packages/pypi/simple/acme-widgets",
        "http://gitlab.example.com/api/v4/projects/acme%2Fwidgets/packages/pypi/simple/acme-widgets",
    ],
)
def test_t29_t37_a_page_from_anywhere_else_is_refused(url: str) -> None:
    assert _code(samples.page(url=url)) == "foreign-index-page"


@pytest.mark.parametrize(
    "url",
    [
        "https://files.pythonhosted.org/packages/x/" + samples.WHEEL,
        f"{samples.GITLAB}/api/v4/projects/4711/packages/pypi/forward/acme-widgets/{samples.WHEEL}",
        samples.file_url() + "?upstream_url=https://pypi.org/x",
        samples.file_url().replace(samples.DIGEST.hex, "0" * 64),
        samples.file_url().replace(samples.WHEEL, "other-1.0-py3-none-any.whl"),
        samples.file_url().replace("4711", "acme%2Fwidgets"),
        samples.file_url().replace("/projects/4711/", "/groups/12/-/"),
    ],
)
def test_t67_a_forwarded_file_on_gitlabs_own_page_is_refused(url: str) -> None:
    assert _code(samples.page(samples.candidate(url=url))) == "foreign-file"


def test_what_lets_somebody_in_at_a_foreign_url_is_not_told() -> None:
    """Registries sign the URLs of their files; a refusal is in reports that a whole team reads."""
    foreign = samples.candidate(url=f"https://files.example.com/x/{samples.WHEEL}?X-Signature=SECRET")
    pages = (
        samples.page(foreign),
        samples.page(url="https://files.example.com/simple/?X-Signature=SECRET"),
    )
    faults = [
        *(origin.check_page(page, samples.PROJECT, samples.entry(), samples.SOURCE) for page in pages),
        samples.listing().check_candidate(foreign),
    ]
    for fault in faults:
        assert fault is not None
        assert "SECRET" not in fault.found
        assert fault.found.endswith(" and more that may be secret")


def test_files_of_two_projects_on_one_page_are_refused() -> None:
    other = samples.candidate("acme_widgets-1.1-py3-none-any.whl")
    other_project = samples.candidate(
        "acme_widgets-1.1-py3-none-any.whl",
        url=samples.file_url("acme_widgets-1.1-py3-none-any.whl", project="99"),
    )

    assert _code(samples.page(samples.candidate(), other)) is None
    assert _code(samples.page(samples.candidate(), other_project)) == "foreign-file"


def test_a_recorded_registry_id_must_be_the_files_own() -> None:
    assert _code(samples.page(), registry_id=4711) is None
    assert _code(samples.page(), registry_id=12) == "foreign-file"
    assert _code(samples.page(), registry="12") == "foreign-index-page"


def test_a_page_of_another_source_is_refused() -> None:
    assert _code(samples.page(source="pypi")) == "foreign-source"


def test_a_candidate_must_stand_on_its_page() -> None:
    stranger = samples.candidate("acme_widgets-9.0-py3-none-any.whl")

    fault = samples.listing().check_candidate(stranger)

    assert fault is not None
    assert fault.code == "foreign-file"


def test_t29_a_candidate_is_judged_with_its_page() -> None:
    """A candidate is judged with the listing of its page; another page has none."""
    listed = list_page(samples.page(), samples.entry(), samples.trust())
    foreign = list_page(
        samples.page(url="https://pypi.org/simple/acme-widgets/"), samples.entry(), samples.trust()
    )

    assert listed == samples.listing()
    assert isinstance(foreign, Refused)
    assert (foreign.code, foreign.step) == ("foreign-index-page", Step.ORIGIN)


def test_a_simple_source_may_list_files_on_any_host() -> None:
    source = Source(name="acme", type="simple", url="https://pypi.org/simple")
    files = samples.candidate(url="https://files.pythonhosted.org/x/" + samples.WHEEL)
    page = samples.page(files, url="https://pypi.org/simple/acme-widgets/")

    assert origin.check_page(page, samples.PROJECT, samples.entry(registry=None), source) is None


OTHER = digest_of(b"other bytes")


def _release(*candidates: Candidate, unusable: tuple[str, ...] = (), version: str = "1.0") -> str | None:
    page = replace(samples.page(*candidates), unusable=tuple(parse_artifact_name(name) for name in unusable))
    asked = next(c for c in page.candidates if str(c.name.version) == version)
    fault = Listing(entry=samples.entry(), page=page, allowed=page.candidates).check_candidate(asked)
    return fault.code if fault else None


@pytest.mark.parametrize(
    "twin",
    [
        samples.WHEEL,
        "Acme.Widgets-1.0-py3-none-any.whl",
        "acme_widgets-1.0.0-py3-none-any.whl",
        "acme_widgets-1-py3-none-any.whl",
    ],
)
@pytest.mark.parametrize("digest", [OTHER, None])
def test_b09_other_bytes_under_the_same_name_refuse_their_release_only(
    twin: str, digest: Digest | None
) -> None:
    rows = samples.candidate(), samples.candidate(twin, digest), samples.candidate("acme_widgets-2.0.tar.gz")
    for page in (rows, rows[::-1]):
        assert _release(*page) == "same-name-other-bytes"
        assert _release(*page, version="2.0") is None


def test_b09_a_release_is_told_by_the_spelling_that_was_asked_for_whichever_was_first() -> None:
    files = [
        samples.candidate(f"acme_widgets-{version}-py3-none-any.whl", digest_of(version.encode()))
        for version in ("1", "1.0", "1.0.0")
    ]
    for asked in (files, files[::-1]):
        listing = samples.listing(*files)
        for each in asked:
            fault = listing.check_candidate(each)
            assert fault is not None
            assert f"in release {each.name.version} of" in fault.expected


def test_b09_two_rows_without_a_digest_are_one_where_their_url_is() -> None:
    bare = samples.candidate(digest=None)
    assert _release(bare, bare) is None
    assert _release(bare, replace(bare, url=samples.file_url(digest=OTHER))) == "same-name-other-bytes"


@pytest.mark.parametrize("twin", [samples.WHEEL, "Acme.Widgets-1.0-py3-none-any.whl"])
def test_b09_same_bytes_twice_are_no_fault(twin: str) -> None:
    assert _release(samples.candidate(), samples.candidate(twin)) is None


@pytest.mark.parametrize(
    "neighbour",
    [
        "acme_widgets-1.0-1-py3-none-any.whl",
        "acme_widgets-1.0-py2.py3-none-any.whl",
        "acme_widgets-1.0.tar.gz",
        "acme_widgets-1.0.post1-py3-none-any.whl",
        "acme_widgets-1.0+local-py3-none-any.whl",
    ],
)
def test_b09_other_files_of_a_release_have_other_bytes(neighbour: str) -> None:
    assert _release(samples.candidate(), samples.candidate(neighbour, OTHER)) is None


@pytest.mark.parametrize(
    ("pair", "same"),
    [
        (("acme_widgets-1.0-01a-py3-none-any.whl", "acme_widgets-1.0-1a-py3-none-any.whl"), True),
        (("acme_widgets-1.0-py2.py3-none-any.whl", "acme_widgets-1.0-py3.py2-none-any.whl"), True),
        (("acme_widgets-1.0.tar.gz", "acme-widgets-1.0.tar.gz"), True),
        (("acme_widgets-1.0-1-py3-none-any.whl", "acme_widgets-1.0-2-py3-none-any.whl"), False),
    ],
)
def test_b09_what_installers_cannot_tell_apart(pair: tuple[str, str], *, same: bool) -> None:
    first, second = samples.candidate(pair[0]), samples.candidate(pair[1], OTHER)
    assert _release(first, second) == ("same-name-other-bytes" if same else None)


def test_b09_an_entry_that_cannot_be_asked_for_has_bytes_too() -> None:
    assert _release(samples.candidate(), unusable=(samples.WHEEL,)) == "same-name-other-bytes"
    assert _release(samples.candidate(), unusable=("acme_widgets-1.0.tar.gz",)) is None
    assert _release(samples.candidate(), unusable=("acme_widgets-1.1-py3-none-any.whl",)) is None


def test_what_a_page_costs_grows_with_its_files_and_no_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release of three thousand files took a minute."""
    many = [samples.candidate(f"acme_widgets-1.0-{number}-py3-none-any.whl") for number in range(1, 60)]
    listing = samples.listing(*many)
    judged: list[Version] = []
    compared: list[Candidate] = []
    check, equal = origin.check_release, Candidate.__eq__

    def count_release(page: IndexPage, version: Version) -> Fault | None:
        judged.append(version)
        return check(page, version)

    def count_compared(one: Candidate, other: object) -> bool:
        compared.append(one)
        return bool(equal(one, other))

    monkeypatch.setattr(origin, "check_release", count_release)
    monkeypatch.setattr(Candidate, "__eq__", count_compared)

    assert [listing.check_candidate(replace(each)) for each in many] == [None] * len(many)
    assert len(judged) == 1
    assert len(compared) == len(many)


def test_a_mirrors_page_is_the_mirrors_own() -> None:
    """A mirror takes the source's place as a whole: neither the source's own page nor another one counts."""
    source = Source(
        name="acme", type="simple", url="https://pypi.org/simple", mirror="https://mirror.example.com/x"
    )
    entry = samples.entry(registry=None, registry_id=None)

    def code(url: str) -> str | None:
        fault = origin.check_page(samples.page(url=url), samples.PROJECT, entry, source)
        return fault.code if fault else None

    assert code("https://mirror.example.com/x/acme-widgets/") is None
    for url in (
        "https://pypi.org/simple/acme-widgets/",
        "https://mirror.example.com/acme-widgets/",
        "https://mirror.example.com/x/acme-widget/",
        "https://mirror.example.com/x/acme-widgets/?to=pypi.org",
        "https://mirror.example.com.evil/x/acme-widgets/",
        "http://mirror.example.com/x/acme-widgets/",
    ):
        assert code(url) == "foreign-index-page", url
