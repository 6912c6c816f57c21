"""The sandbox's integrity API answers as warehouse's ``warehouse/api/integrity.py`` does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pip_warden.sandbox import File, Sandbox
from sandbox.conftest import Http

INTEGRITY = "application/vnd.pypi.integrity.v1+json"
SIMPLE = "application/vnd.pypi.simple.v1+json"


@pytest.fixture
def files(shared: Sandbox) -> Iterator[tuple[File, File]]:
    upstream = shared.upstream
    signed, unsigned = shared.wheel("Fancy.Kit", "1.0"), shared.sdist("Fancy.Kit", "1.0")
    evidence = shared.sign(signed, shared.job(shared.project("acme/kit"), tag="v1.0"), ("pep740",))
    google = {"kind": "Google", "email": "release@example.iam.gserviceaccount.com"}
    if "fancy-kit" not in upstream.state():
        provenance = {signed.name: list(evidence.values())}
        upstream.add("Fancy.Kit", [signed, unsigned], provenance=provenance, publisher=google)
    yield signed, unsigned
    upstream.is_provenance_named, upstream.is_integrity_disabled = True, False


def place(sandbox: Sandbox, file: str, name: str = "fancy-kit", version: str = "1.0") -> str:
    template = sandbox.upstream.integrity_url
    return template.replace("{name}", name).replace("{version}", version).replace("{filename}", file)


def test_a_file_with_provenance(shared: Sandbox, http: Http, files: tuple[File, File]) -> None:
    said = http("GET", place(shared, files[0].name), headers={"accept": INTEGRITY})
    assert (said.status_code, said.headers["content-type"], said.headers["vary"]) == (
        200,
        INTEGRITY,
        "Accept",
    )
    (bundle,) = said.json()["attestation_bundles"]
    assert (said.json()["version"], bundle["publisher"]["kind"], len(bundle["attestations"])) == (
        1,
        "Google",
        1,
    )


@pytest.mark.parametrize(
    ("accept", "status", "media_type"),
    [
        ("*/*", 200, INTEGRITY),
        ("application/json", 200, "application/json"),
        (f"application/json, {INTEGRITY};q=0.5", 200, INTEGRITY),
        ("text/html", 406, "application/json"),
    ],
)
def test_media_types(
    shared: Sandbox, http: Http, files: tuple[File, File], accept: str, status: int, media_type: str
) -> None:
    said = http("GET", place(shared, files[0].name), headers={"accept": accept})
    assert (said.status_code, said.headers["content-type"]) == (status, media_type)
    if status == 406:
        assert said.json() == {"message": "Request not acceptable"}


@pytest.mark.parametrize("name", ["fancy-kit", "Fancy.Kit", "fancy_kit"])
@pytest.mark.parametrize("version", ["1.0", "1", "1.0.0", "01.0"])
def test_any_spelling_is_answered_without_a_redirect(
    shared: Sandbox, http: Http, files: tuple[File, File], name: str, version: str
) -> None:
    assert http("GET", place(shared, files[0].name, name, version)).status_code == 200


def test_a_file_without_provenance_is_a_message(
    shared: Sandbox, http: Http, files: tuple[File, File]
) -> None:
    said = http("GET", place(shared, files[1].name))
    assert (said.status_code, said.json()) == (
        404,
        {"message": f"No provenance available for {files[1].name}"},
    )


@pytest.mark.parametrize(
    ("file", "name", "version"),
    [
        ("other.whl", "fancy-kit", "1.0"),
        ("", "other", "1.0"),
        ("", "fancy-kit", "2.0"),
        ("", "fancy-kit", "x"),
    ],
)
def test_what_is_no_file_of_the_release_is_the_sites_own_page(
    shared: Sandbox, http: Http, files: tuple[File, File], file: str, name: str, version: str
) -> None:
    said = http("GET", place(shared, file or files[0].name, name, version))
    assert (said.status_code, said.headers["content-type"].partition(";")[0]) == (404, "text/html")


def test_it_can_be_turned_off(shared: Sandbox, http: Http, files: tuple[File, File]) -> None:
    shared.upstream.is_integrity_disabled = True
    said = http("GET", place(shared, files[0].name))
    assert (said.status_code, said.json()) == (403, {"message": "Attestations temporarily disabled"})


@pytest.mark.parametrize("accept", [SIMPLE, "text/html"])
def test_pages_name_it_or_not_and_a_mirrors_never_do(
    shared: Sandbox, http: Http, files: tuple[File, File], accept: str
) -> None:
    page, mirror = (f"{url}/fancy-kit/" for url in (shared.pypi_url, shared.upstream.mirror_url))
    for url, is_named, expected in ((page, True, True), (page, False, False), (mirror, True, False)):
        shared.upstream.is_provenance_named = is_named
        said = http("GET", url, headers={"accept": accept})
        assert (said.status_code, "/integrity/" in said.text) == (200, expected)
        assert files[0].name in said.text
