"""Supplies of evidence and files: older rows, large ones, foreign origins, and the vault alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

import samples
from archives import wheel
from loopback import Answer, FakeTime, Server, serve
from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Artifact
from pip_warden.digests import digest_of
from pip_warden.errors import CredentialsError, NetworkError
from pip_warden.evidence.model import BadItem, Item
from pip_warden.index.candidate import Candidate
from pip_warden.names import ProjectName, parse_artifact_name
from pip_warden.sandbox import File, Project, Sandbox
from pip_warden.supply import OfflineSupply, RegistrySupply, is_foreign
from pip_warden.transport import Transport, credentials_from_environment
from pip_warden.trust.model import IdentityEntry, Source, TrustFile
from pip_warden.trust.roots import PinnedRoots
from pip_warden.vault import Vault
from pip_warden.verdict.model import Accepted, PinnedByHash

DATA = wheel()
API = "/api/v4/projects/7/packages/generic/x/1"
"""A URL at which GitLab would accept a token."""

NAME = parse_artifact_name(samples.WHEEL)


class Registry:
    """One project of a sandbox with one signed wheel, and a supply that reads it."""

    def __init__(self, sandbox: Sandbox, path: str, transport: Transport) -> None:
        self.sandbox = sandbox
        self.project: Project = sandbox.project(path)
        self.file: File = sandbox.wheel(self.project.record.name, "1.0")
        sandbox.publish(self.project, [self.file])
        source = Source(name="acme", type="gitlab", url=sandbox.gitlab_url)
        self.entry = IdentityEntry(
            project=ProjectName(self.project.record.name), source="acme", registry=path, identities=()
        )
        trust = TrustFile(path=Path("x"), sources=(source,), entries=(self.entry,))
        self.supply = RegistrySupply(trust=trust, roots=PinnedRoots(()), transport=transport)

    @property
    def evidence_name(self) -> str:
        return f"{self.file.name}.sigstore.json"

    def newer(self, data: bytes) -> None:
        self.sandbox.replace_evidence(self.project, self.evidence_name, data, newer_row=True)

    def found(self) -> list[tuple[str, type]]:
        name = parse_artifact_name(self.file.name)
        artifact = Artifact(
            name=name,
            path=Path("x"),
            digest=digest_of(self.file.data),
            size=1,
            contents=samples.contents(),
        )
        (candidate,) = self.supply.page(self.entry.project, self.entry).candidates
        label = len(self.evidence_name)
        items = self.supply.evidence(candidate, artifact, self.entry)
        return [(item.label[label:], type(item)) for item in items]


@pytest.fixture
def transport(sandbox: Sandbox) -> Iterator[Transport]:
    environ = {"GITLAB_TOKEN": sandbox.token(scopes=("api",)), "GITLAB_URL": sandbox.gitlab_url}
    held = credentials_from_environment(environ, use_keyring=False)
    with Transport(credentials=held, clock=FakeTime().clock) as opened:
        yield opened


def test_bad_newest_row_leads_to_the_older_ones(sandbox: Sandbox, transport: Transport) -> None:
    registry = Registry(sandbox, "acme/rows", transport)
    registry.newer(b"{}")
    registry.newer(b"<html>")
    assert registry.found() == [("", BadItem), ("#2", BadItem), ("#3", Item)]


def test_row_that_is_too_large_does_not_end_the_search(sandbox: Sandbox, transport: Transport) -> None:
    registry = Registry(sandbox, "acme/large", transport)
    registry.newer(b"x" * (17 << 20))
    assert registry.found() == [("", BadItem), ("#2", Item)]


def test_endless_rows_are_not_all_looked_at(sandbox: Sandbox, transport: Transport) -> None:
    registry = Registry(sandbox, "acme/many", transport)
    for _ in range(40):
        registry.newer(b"{}")
    found = registry.found()
    assert (len(found), {kind for _, kind in found}) == (34, {BadItem})


def test_old_gitlab_serves_the_newest_row_only(sandbox: Sandbox, transport: Transport) -> None:
    registry = Registry(sandbox, "acme/old", transport)
    registry.newer(b"{}")
    sandbox.settings.package_file_download = False
    try:
        assert registry.found() == [("", BadItem)]
    finally:
        sandbox.settings.package_file_download = True


def test_nothing_there_is_nothing_found(sandbox: Sandbox, transport: Transport) -> None:
    registry = Registry(sandbox, "acme/none", transport)
    sandbox.delete_evidence(registry.project, registry.evidence_name)
    assert registry.found() == []


@pytest.fixture
def index() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    with serve() as running:
        yield running


def simple_supply(index: Server, elsewhere: Server) -> tuple[RegistrySupply, Transport, IdentityEntry]:
    """Return a supply of a simple index; the user holds tokens for the index and for the other server."""
    held = credentials_from_environment(
        {"GITLAB_TOKEN": "glpat-of-elsewhere", "GITLAB_URL": elsewhere.url}, use_keyring=False
    )
    entry = IdentityEntry(project=samples.PROJECT, source="index", identities=())
    source = Source(name="index", type="simple", url=f"{index.url}/simple")
    trust = TrustFile(path=Path("x"), sources=(source,), entries=(entry,))
    transport = Transport(credentials=held, clock=FakeTime().clock)
    return RegistrySupply(trust=trust, roots=PinnedRoots(()), transport=transport), transport, entry


def candidate_at(index: Server, place: Server) -> Candidate:
    return Candidate(
        project=samples.PROJECT,
        name=NAME,
        source="index",
        page_url=f"{index.url}/simple/acme-widgets/",
        url=f"{place.url}{API}/{samples.WHEEL}",
        claimed_provenance=f"{place.url}{API}/provenance",
    )


def test_t31_what_an_index_names_elsewhere_is_fetched_without_credentials(
    index: Server, elsewhere: Server, tmp_path: Path
) -> None:
    supply, transport, entry = simple_supply(index, elsewhere)
    elsewhere.routes[f"{API}/{samples.WHEEL}"] = Answer(body=DATA)
    candidate = candidate_at(index, elsewhere)
    with transport:
        artifact = supply.receive(candidate, tmp_path)
        assert artifact.digest == digest_of(DATA)
        assert list(supply.evidence(candidate, artifact, entry)) == []
    assert [asked.target for asked in elsewhere.asked] == [f"{API}/{samples.WHEEL}", f"{API}/provenance"]
    for asked in elsewhere.asked:
        assert "glpat" not in str(asked.headers)


def test_index_on_the_tokens_own_origin_gets_it(elsewhere: Server, tmp_path: Path) -> None:
    supply, transport, _ = simple_supply(elsewhere, elsewhere)
    elsewhere.routes[f"{API}/{samples.WHEEL}"] = Answer(body=DATA)
    with transport:
        supply.receive(candidate_at(elsewhere, elsewhere), tmp_path)
    assert "glpat" in str(elsewhere.asked[0].headers)


@pytest.mark.parametrize(
    ("url", "foreign"),
    [
        ("https://pypi.org/x", False),
        ("https://PyPI.org:443/x", False),
        ("https://pypi.org:444/x", True),
        ("https://pypi.org.example.com/x", True),
        ("http://pypi.org/x", True),
        ("https://me@pypi.org/x", True),
        ("nonsense", True),
    ],
)
def test_foreign(url: str, foreign: bool) -> None:
    assert is_foreign(url, "https://pypi.org/simple") is foreign


def test_provenance_of_a_simple_index(index: Server, tmp_path: Path) -> None:
    supply, transport, entry = simple_supply(index, index)
    index.routes[f"{API}/provenance"] = Answer(body=b"{}")
    candidate = candidate_at(index, index)
    with transport:
        found = list(supply.evidence(candidate, samples.artifact(), entry))
        assert [type(item) for item in found] == [BadItem]
        index.routes[f"{API}/provenance"] = Answer(body=b"x" * (9 << 20))
        found = list(supply.evidence(candidate, samples.artifact(), entry))
        assert [type(item) for item in found] == [BadItem]
        unnamed = replace(candidate, claimed_provenance=None)
        assert list(supply.evidence(unnamed, samples.artifact(), entry)) == []
        index.routes[f"{API}/provenance"] = Answer(
            status=302, headers={"Location": "ftp://elsewhere.example/"}
        )
        with pytest.raises(NetworkError) as caught:
            list(supply.evidence(candidate, samples.artifact(), entry))
        assert caught.value.code == "insecure-redirect", "no answer is not the same as bad evidence"
        index.routes[f"{API}/provenance"] = Answer(status=403)
        with pytest.raises(CredentialsError):
            list(supply.evidence(candidate, samples.artifact(), entry))
    assert not list(tmp_path.iterdir())


def test_offline_supply_lists_what_the_vault_holds(tmp_path: Path) -> None:
    vault, trust = Vault(tmp_path / "cache"), samples.trust()
    supply = OfflineSupply(trust=trust, vault=vault)
    entry = samples.entry()
    with pytest.raises(NetworkError) as caught:
        supply.page(samples.PROJECT, entry)
    assert caught.value.code == "offline"
    path = tmp_path / samples.WHEEL
    path.write_bytes(DATA)
    artifact = Artifact(
        name=NAME, path=path, digest=digest_of(DATA), size=len(DATA), contents=inspect(path, NAME)
    )
    vault.seal(Accepted(artifact=artifact, basis=PinnedByHash(reason="r")), evidence=())
    (candidate,) = supply.page(samples.PROJECT, entry).candidates
    assert (candidate.name, candidate.claimed_sha256) == (NAME, digest_of(DATA))
    for digest, count in ((digest_of(DATA), 1), (digest_of(b"other"), 0)):
        pinned = samples.hash_entry({samples.WHEEL: digest})
        by_hash = OfflineSupply(trust=samples.trust(pinned), vault=vault)
        with nullcontext() if count else pytest.raises(NetworkError):
            assert len(by_hash.page(samples.PROJECT, pinned).candidates) == count
    for name in ("first", "second"):
        (tmp_path / name).mkdir(mode=0o700)
    assert supply.receive(candidate, tmp_path / "first").digest == digest_of(DATA)
    assert list(supply.evidence(candidate, artifact, entry)) == []
    (kept,) = (tmp_path / "cache").rglob(samples.WHEEL)
    kept.chmod(0o600)
    kept.write_bytes(b"poison")
    with pytest.raises(NetworkError) as caught:
        supply.receive(candidate, tmp_path / "second")
    assert caught.value.code == "offline"
