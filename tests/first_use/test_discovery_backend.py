"""What pip is told while it only resolves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from pip_warden.digests import Digest
from pip_warden.errors import InternalError, RefusedError
from pip_warden.events import SILENT
from pip_warden.first_use.observe import SignerObserver
from pip_warden.first_use.sync import discovery
from pip_warden.first_use.sync.discovery import DiscoveryBackend
from pip_warden.index.candidate import Candidate
from pip_warden.installer.model import LinkRequest
from pip_warden.installer.wanted import NamedRequirement, Wanted
from pip_warden.names import parse_artifact_name, parse_project_name
from pip_warden.transport import Transport
from pip_warden.trust.model import Probe, Source

ACME = parse_project_name("acme")


def candidate(filename: str, sha256: str | None = "1" * 64) -> Candidate:
    return Candidate(
        project=ACME,
        name=parse_artifact_name(filename),
        source="pypi",
        page_url="https://pypi.org/simple/acme/",
        url=f"https://files.example/{filename}",
        claimed_sha256=None if sha256 is None else Digest(sha256),
    )


class Observer:
    """Judges every page to be good."""

    reporter = SILENT
    allowed = (
        candidate("acme-1.0-py3-none-any.whl"),
        candidate("acme-1.1-py3-none-any.whl", None),
        candidate("acme-1.2.tar.gz"),
    )

    def listing(self, _probe: Probe) -> Observer:
        return self

    def check_candidate(self, _candidate: Candidate) -> None:
        return None

    @property
    def trust(self) -> Observer:
        return self

    def source(self, name: str) -> Source:
        return Source(name=name, type="simple", url="https://pypi.org/simple")


class Reply:
    status = 200
    body = b"Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n"


class Network:
    """Answers every request with metadata."""

    def get(self, url: str, **options: Any) -> Reply:
        assert url.endswith(".whl.metadata")
        assert options["anonymous"]
        return Reply()


@pytest.fixture
def backend() -> DiscoveryBackend:
    return DiscoveryBackend(
        cast("SignerObserver", Observer()),
        cast("Transport", Network()),
        lambda project: Probe(project=project, source="pypi"),
    )


def test_only_wheels_whose_digest_is_known_are_listed(backend: DiscoveryBackend) -> None:
    assert [file.filename for file in backend.page(ACME)] == ["acme-1.0-py3-none-any.whl"]
    assert backend.without_wheel == set()


def test_no_file_is_handed_over(backend: DiscoveryBackend) -> None:
    backend.page(ACME)
    served = backend.file(ACME, "acme-1.0-py3-none-any.whl")
    assert b"Name: acme" in served.metadata
    with pytest.raises(RefusedError) as error:
        served.hand_over()
    assert error.value.code == "metadata-only"


@pytest.mark.parametrize("filename", ["acme-1.2.tar.gz", "acme-1.1-py3-none-any.whl", "other-1.0.tar.gz"])
def test_what_was_not_listed_is_not_answered(backend: DiscoveryBackend, filename: str) -> None:
    backend.page(ACME)
    with pytest.raises(RefusedError) as error:
        backend.file(ACME, filename)
    assert error.value.code == "metadata-only"


def test_nothing_is_installed_and_no_link_is_opened(backend: DiscoveryBackend) -> None:
    with pytest.raises(InternalError):
        backend.plan(())
    with pytest.raises(RefusedError):
        backend.link(LinkRequest(name="evil", url="https://evil.example/e.whl", wanted_by="acme"))


def test_pip_is_told_last_to_take_wheels_alone(tmp_path: Path) -> None:
    wanted = Wanted(options=("--no-binary", ":all:"))
    named = [NamedRequirement(requirement="acme", project=ACME)]
    words = discovery._arguments(named, wanted, tmp_path)
    assert words[-2:] == ["--only-binary", ":all:"]
    assert "--dry-run" in words
