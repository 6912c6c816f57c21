"""Step 2: page and file URLs are those of the entry's source."""

from __future__ import annotations

import pytest

import making
from pip_warden.trust.pins import Source
from pip_warden.verdict import origin


def _code(page: object, **changes: object) -> str | None:
    fault = origin.check_page(page, making.PROJECT, making.entry(**changes), making.SOURCE)  # type: ignore[arg-type]
    return fault.code if fault else None


def test_the_pinned_projects_own_page_passes() -> None:
    assert _code(making.page()) is None
    assert _code(making.page(url=making.page_url() + "/")) is None


def test_a_page_under_the_recorded_numeric_id_passes() -> None:
    url = f"{making.GITLAB}/api/v4/projects/4711/packages/pypi/simple/acme-widgets"

    assert _code(making.page(url=url), registry_id=4711) is None
    assert _code(making.page(url=url)) == "foreign-index-page"


@pytest.mark.parametrize(
    "url",
    [
        "https://pypi.org/simple/acme-widgets/",
        "https://gitlab.example.com.evil/api/v4/projects/acme%2Fwidgets/packages/pypi/simple/acme-widgets",
        f"{making.GITLAB}/api/v4/projects/acme%2Fother/packages/pypi/simple/acme-widgets",
        f"{making.GITLAB}/api/v4/projects/acme%2Fwidgets/packages/pypi/simple/other",
        f"{making.GITLAB}/api/v4/projects/acme%2Fwidgets/packages/pypi/simple/acme-widgets?upstream_url=x",
        f"{making.GITLAB}/api/v4/groups/acme/-/packages/pypi/simple/acme-widgets",
        "http://gitlab.example.com/api/v4/projects/acme%2Fwidgets/packages/pypi/simple/acme-widgets",
    ],
)
def test_t29_t37_a_page_from_anywhere_else_is_refused(url: str) -> None:
    assert _code(making.page(url=url)) == "foreign-index-page"


@pytest.mark.parametrize(
    "url",
    [
        "https://files.pythonhosted.org/packages/x/" + making.WHEEL,
        f"{making.GITLAB}/api/v4/projects/4711/packages/pypi/forward/acme-widgets/{making.WHEEL}",
        making.file_url() + "?upstream_url=https://pypi.org/x",
        making.file_url().replace(making.DIGEST.hex, "0" * 64),
        making.file_url().replace(making.WHEEL, "other-1.0-py3-none-any.whl"),
        making.file_url().replace("4711", "acme%2Fwidgets"),
        making.file_url().replace("/projects/4711/", "/groups/12/-/"),
    ],
)
def test_t67_a_forwarded_file_on_gitlabs_own_page_is_refused(url: str) -> None:
    assert _code(making.page(making.candidate(url=url))) == "foreign-file"


def test_files_of_two_projects_on_one_page_are_refused() -> None:
    other = making.candidate("acme_widgets-1.1-py3-none-any.whl")
    other_project = making.candidate(
        "acme_widgets-1.1-py3-none-any.whl",
        url=making.file_url("acme_widgets-1.1-py3-none-any.whl", project="99"),
    )

    assert _code(making.page(making.candidate(), other)) is None
    assert _code(making.page(making.candidate(), other_project)) == "foreign-file"


def test_a_recorded_registry_id_must_be_the_files_own() -> None:
    assert _code(making.page(), registry_id=4711) is None
    assert _code(making.page(), registry_id=12) == "foreign-file"
    assert _code(making.page(), registry="12") == "foreign-index-page"


def test_a_page_of_another_source_is_refused() -> None:
    assert _code(making.page(source="pypi")) == "foreign-source"


def test_a_candidate_must_stand_on_its_page() -> None:
    stranger = making.candidate("acme_widgets-9.0-py3-none-any.whl")

    fault = origin.check_candidate(stranger, making.page(), making.PROJECT, making.entry(), making.SOURCE)

    assert fault is not None
    assert fault.code == "foreign-file"


def test_a_simple_source_may_list_files_on_any_host() -> None:
    source = Source(name="acme", type="simple", url="https://pypi.org/simple")
    files = making.candidate(url="https://files.pythonhosted.org/x/" + making.WHEEL)
    page = making.page(files, url="https://pypi.org/simple/acme-widgets/")

    assert origin.check_page(page, making.PROJECT, making.entry(registry=None), source) is None
