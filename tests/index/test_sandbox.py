"""The index and GitLab's routes against the sandbox's GitLab, which shares no code with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import pytest
from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.errors import CredentialsError, RegistryError
from pip_warden.index.gitlab import GitLab
from pip_warden.index.simple import fetch_page
from pip_warden.names import ProjectName
from pip_warden.sandbox import Forwarding, Project, Sandbox
from pip_warden.transport import NetworkSettings, Transport, credentials_from_environment

NAME = ProjectName("acme-widgets")


@dataclass(frozen=True)
class Source:
    url: str
    name: str = "acme"
    type: Literal["gitlab", "simple"] = "gitlab"

    @property
    def home(self) -> str:
        return self.url


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def private(shared: Sandbox) -> Project:
    project = shared.project("acme/widgets", visibility="private")
    shared.publish(project, [shared.wheel("acme-widgets", "1.0"), shared.sdist("acme-widgets", "1.0")])
    return project


def _open(environ: dict[str, str]) -> Transport:
    credentials = credentials_from_environment(environ, use_keyring=False)
    return Transport(NetworkSettings(retries=0), credentials=credentials)


def _personal(sandbox: Sandbox) -> dict[str, str]:
    return {"GITLAB_TOKEN": sandbox.token(), "GITLAB_URL": sandbox.gitlab_url}


@pytest.mark.parametrize("who", ["job", "personal"])
@pytest.mark.parametrize("stored", ["by itself", "elsewhere"])
def test_a_private_registry_page_file_and_evidence(
    shared: Sandbox, private: Project, who: str, stored: str
) -> None:
    environ = shared.job(private, "main").variables() if who == "job" else _personal(shared)
    shared.settings.object_storage = stored == "elsewhere"
    shared.clear_requests()

    with _open(environ) as transport:
        page = fetch_page(transport, NAME, Source(shared.gitlab_url), "acme/widgets")
        wheel = next(candidate for candidate in page.candidates if candidate.name.kind == "wheel")
        file = BytesIO()
        done = transport.download(wheel.url, to=file, max_bytes=1 << 20, label=str(wheel.name))
        gitlab = GitLab(transport, shared.gitlab_url)
        bundle = f"{wheel.name}.sigstore.json"
        found = gitlab.generic_get(private.id, "widgets", "1.0", bundle, max_bytes=1 << 20)
        rows = gitlab.package_files(private.id, "widgets", "1.0")
        missing = gitlab.generic_get(private.id, "widgets", "1.0", f"{wheel.name}.sig", max_bytes=1 << 20)

        assert len(page.candidates) == 2
        assert done.digest == wheel.claimed_sha256 == Digest(hashlib.sha256(file.getvalue()).hexdigest())
        assert found is not None
        assert found.startswith(b"{")
        assert missing is None
        assert rows is not None
        row = next(row for row in rows if row.file_name == bundle)
        assert row.claimed_sha256 == Digest(hashlib.sha256(found).hexdigest())
        assert gitlab.file_by_id(private.id, row, max_bytes=1 << 20) == found
    for request in shared.requests:
        if request.origin != "gitlab":
            assert not {"authorization", "private-token", "job-token"} & {name for name, _ in request.headers}


def test_a_private_registry_says_nothing_to_strangers(shared: Sandbox, private: Project) -> None:
    with _open({}) as transport:
        with pytest.raises(CredentialsError) as page:
            fetch_page(transport, NAME, Source(shared.gitlab_url), private.path)
        with pytest.raises(CredentialsError) as file:
            GitLab(transport, shared.gitlab_url).generic_get(private.id, "widgets", "1.0", "x", max_bytes=10)

    assert (page.value.code, file.value.code) == ("credentials-needed", "credentials-needed")


def test_another_projects_job_is_told_what_to_change(shared: Sandbox, private: Project) -> None:
    other = shared.project("acme/other")
    with _open(shared.job(other, "main").variables()) as transport, pytest.raises(RegistryError) as caught:
        GitLab(transport, shared.gitlab_url).generic_get(private.id, "widgets", "1.0", "x", max_bytes=10)

    assert caught.value.code in {"job-token-not-allowed", "not-found"}


def test_the_owner_of_a_groups_file(shared: Sandbox, private: Project) -> None:
    with _open(_personal(shared)) as transport:
        page = fetch_page(transport, NAME, Source(shared.gitlab_url), "acme/widgets")
        first = page.candidates[0]
        assert first.claimed_sha256 is not None
        gitlab = GitLab(transport, shared.gitlab_url)
        owner = gitlab.owner_of("acme", NAME, Version("1.0"), first.name.filename, first.claimed_sha256)
        info = gitlab.project_info("acme/widgets")

    assert owner.project_id == private.id == info.id
    assert (info.path, info.default_branch, info.visibility) == ("acme/widgets", "main", "private")


@pytest.mark.parametrize("way", [Forwarding.REDIRECT, Forwarding.OWN_ORIGIN, Forwarding.UPSTREAM_URL])
def test_t37_t67_every_way_of_forwarding_shows_in_urls(way: Forwarding) -> None:
    with Sandbox() as sandbox:
        project = sandbox.project("acme/empty", visibility="public")
        sandbox.settings.forwarding = way
        sandbox.upstream.add("acme-widgets", [sandbox.wheel("acme-widgets", "9.9")])
        with _open(_personal(sandbox)) as transport:
            page = fetch_page(transport, NAME, Source(sandbox.gitlab_url), project.path)

    own = f"{project.api_url}/packages/pypi/files/"
    assert page.candidates
    assert not page.url.startswith(sandbox.gitlab_url) or all(
        not candidate.url.startswith(own) or "?" in candidate.url for candidate in page.candidates
    )
