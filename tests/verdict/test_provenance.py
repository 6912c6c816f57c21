"""Step 10, provenance: what the certificate can confirm is compared, and what SLSA requires is there."""

from __future__ import annotations

from typing import Any

import pytest

import samples
from builds import CLAIMS, COMMIT, JOB, OTHER, REF, REPOSITORY, changed, ours, source
from pip_warden._sigstore.result import CertificateClaims
from pip_warden.faults import Fault
from pip_warden.publish.provenance import BUILD_TYPE as WRITTEN
from pip_warden.verdict.provenance import BUILD_TYPE, Invocation, Provenance, read_provenance

EVIL = "https://gitlab.example.com/evil/fork"
PLAIN = changed(ours(), "buildDefinition.buildType", "https://example.com/build")


def _read(predicate: Any, claims: CertificateClaims = CLAIMS) -> Provenance:
    found = read_provenance(predicate, claims)
    assert isinstance(found, Provenance), found
    return found


def _refused(predicate: Any, claims: CertificateClaims = CLAIMS) -> Fault:
    found = read_provenance(predicate, claims)
    assert isinstance(found, Fault), found
    assert found.code == "provenance-mismatch"
    return found


def test_the_reader_and_the_writer_mean_the_same_build_type() -> None:
    assert WRITTEN == BUILD_TYPE


def test_what_agrees_is_read() -> None:
    assert _read(ours()) == Provenance(
        build_type=BUILD_TYPE,
        builder_id="https://gitlab.example.com/-/runners",
        repository=REPOSITORY,
        commit=COMMIT,
        ref=REF,
        trigger="push",
        config_path=".gitlab-ci.yml",
        invocation_id=JOB,
        invocation=Invocation.CONFIRMED,
        started_on="2026-06-30T23:50:00Z",
        finished_on="2026-06-30T23:55:00.5+00:00",
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("externalParameters.source", f"git+{EVIL}"),
        ("externalParameters.source", REPOSITORY),
        ("externalParameters.ref", "refs/heads/v1.0"),
        ("externalParameters.ref", "v1.0"),
        ("externalParameters.trigger", "schedule"),
        ("externalParameters.configPath", "evil.yml"),
        ("externalParameters.configPath", "/.gitlab-ci.yml"),
        ("internalParameters.configDigest", OTHER),
        ("externalParameters.source", "[MASKED]"),
        ("externalParameters.trigger", "[MASKED]"),
        ("internalParameters.configDigest", "[MASKED]"),
        ("resolvedDependencies", [source({"gitCommit": OTHER})]),
        ("resolvedDependencies", [source(uri=f"git+{EVIL}")]),
    ],
)
def test_what_is_not_as_the_certificate_says_is_refused(path: str, value: Any) -> None:
    fault = _refused(changed(ours(), f"buildDefinition.{path}", value))

    assert "certificate" in fault.expected or "at commit" in fault.expected


@pytest.mark.parametrize(
    "builder",
    [
        "https://gitlab.com/-/runners",
        "https://gitlab.example.com.evil.com/-/runners",
        "https://gitlab.example.com@evil.com/-/runners",
        "https://gitlab.example.com:8443/-/runners",
        "ftp://gitlab.example.com/-/runners",
        "gitlab.example.com",
        "https://[gitlab.example.com/",
        "https:///-/runners",
        "12270807",
        "",
        7,
        None,
    ],
)
def test_a_builder_elsewhere_than_the_certificate_says_is_refused(builder: Any) -> None:
    _refused(changed(ours(), "runDetails.builder.id", builder))


def test_a_builder_may_be_on_the_issuers_host() -> None:
    claims = samples.claims(issuer="https://issuer.example.com", source_digest=COMMIT)
    predicate = changed(PLAIN, "runDetails.builder.id", "https://ISSUER.example.com/runner")

    assert isinstance(read_provenance(predicate, claims), Provenance)


@pytest.mark.parametrize(
    "missing",
    [
        "buildDefinition",
        "buildDefinition.buildType",
        "buildDefinition.externalParameters",
        "buildDefinition.resolvedDependencies",
        "runDetails",
        "runDetails.builder",
        "runDetails.builder.id",
    ],
)
@pytest.mark.parametrize("value", [..., None, [], 7])
def test_what_slsa_requires_must_be_there(missing: str, value: Any) -> None:
    _refused(changed(ours(), missing, value))
    _refused(changed(PLAIN, missing, value))


@pytest.mark.parametrize("predicate", [None, {}, "provenance", []])
def test_what_is_no_provenance_at_all_is_refused(predicate: Any) -> None:
    _refused(predicate)


def test_v0_2_is_another_predicate() -> None:
    old = {"buildType": BUILD_TYPE, "builder": {"id": "https://gitlab.example.com"}, "invocation": {}}

    assert "v0.2" in _refused(old).found


@pytest.mark.parametrize("name", ["source", "ref", "configPath", "trigger"])
@pytest.mark.parametrize("value", [None, 7])
def test_the_documented_parameters_of_our_build_type_are_all_there(name: str, value: Any) -> None:
    _refused(ours(**{name: value}))


def test_our_build_type_has_no_other_parameters() -> None:
    _refused(ours(extra="x"))
    assert _read(changed(PLAIN, "buildDefinition.externalParameters.extra", "x")).ref == REF


def test_what_the_certificate_does_not_say_is_not_shown() -> None:
    """The statement may say it, but nothing confirms it."""
    claims = samples.claims(drop=("source-ref", "build-trigger"), source_digest=COMMIT)

    found = read_provenance(ours(ref="refs/heads/x", trigger="x", configPath="x"), claims)

    assert isinstance(found, Provenance)
    assert (found.ref, found.trigger, found.config_path) == (None, None, None)


@pytest.mark.parametrize("lacking", ["source-repository", "source-digest"])
def test_a_certificate_that_names_no_code_confirms_nothing(lacking: str) -> None:
    _refused(ours(), samples.claims(drop=(lacking,), source_digest=COMMIT))


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        (f"{REPOSITORY}//ci/release.yml@{REF}", "ci/release.yml"),
        (f"{REPOSITORY}//a@b.yml@{REF}", "a@b.yml"),
        (f"{REPOSITORY}//ci.yml@refs/heads/main", "ci.yml"),
        (f"{REPOSITORY}/.github/workflows/release.yml@{REF}", ".github/workflows/release.yml"),
        (f"http{REPOSITORY[5:]}//ci.yml@{REF}", "ci.yml"),
    ],
)
def test_the_path_of_the_configuration_is_the_certificates(uri: str, path: str) -> None:
    claims = samples.claims(source_digest=COMMIT, build_config_uri=uri)

    found = read_provenance(ours(configPath=path), claims)
    assert isinstance(found, Provenance)
    assert found.config_path == path
    _refused(ours(configPath=".gitlab-ci.yml"), claims)


@pytest.mark.parametrize(
    ("invocation", "expected"),
    [
        (JOB, Invocation.CONFIRMED),
        (f"{REPOSITORY}/-/jobs/72", Invocation.CLAIMED),
        (f"{REPOSITORY}/-/pipelines/7", Invocation.CLAIMED),
        ("71", Invocation.CLAIMED),
        (None, Invocation.UNNAMED),
    ],
)
def test_the_certified_run_is_confirmed_and_another_claimed(invocation: Any, expected: Invocation) -> None:
    found = _read(changed(ours(), "runDetails.metadata.invocationId", invocation))

    assert (found.invocation_id, found.invocation) == (invocation, expected)


@pytest.mark.parametrize(
    "invocation",
    [
        f"{EVIL}/-/jobs/71",
        "https://gitlab.com/acme/widgets/-/jobs/71",
        f"{REPOSITORY}-evil/-/jobs/71",
        f"{REPOSITORY}/../../evil/fork/-/jobs/71",
        f"{REPOSITORY}/evil/-/jobs/71",
        f"{REPOSITORY}/-/jobs/71?x",
        f"{REPOSITORY}/-/jobs/71\n",
        f" {JOB}",
        "gitlab.com/evil/fork",
        "/-/jobs/71",
        "",
        71,
    ],
)
def test_an_invocation_elsewhere_is_refused(invocation: Any) -> None:
    _refused(changed(ours(), "runDetails.metadata.invocationId", invocation))


def test_no_invocation_is_confirmed_by_a_certificate_without_one() -> None:
    claims = samples.claims(source_digest=COMMIT)

    assert _read(changed(ours(), "runDetails.metadata", ...), claims).invocation is Invocation.UNNAMED
    assert _read(ours(), claims).invocation is Invocation.CLAIMED


@pytest.mark.parametrize(
    "time", ["yesterday", 7, None, "2026-06-30", "2026-06-30T23:50:00", "2026-06-30T23:50:00Z\x1b"]
)
def test_a_time_that_is_none_is_not_shown(time: Any) -> None:
    predicate = changed(ours(), "runDetails.metadata.startedOn", time)

    assert _read(predicate).started_on is None


def test_more_than_is_read_is_no_fault() -> None:
    predicate = changed(ours(), "runDetails.byproducts", [{"name": "log"}])
    predicate = changed(predicate, "runDetails.builder.version", {"gitlab-runner": "18.6.0"})

    assert _read(predicate) == _read(ours())
    assert _read(changed(ours(), "buildDefinition.internalParameters", ...)) == _read(ours())


@pytest.mark.parametrize(
    "uri",
    [
        REPOSITORY,
        f"{REPOSITORY}/",
        f"{REPOSITORY}.git",
        f"git+{REPOSITORY}@{REF}",
        f"git+{REPOSITORY}.git@{REF}",
        f"git+{REPOSITORY}@v1.0",
        f"git+{REPOSITORY}@{COMMIT}",
        f"git+{REPOSITORY}@{REF}#sub/directory",
    ],
)
@pytest.mark.parametrize(
    "digest", [{"gitCommit": COMMIT}, {"sha1": COMMIT}, {"sha1": COMMIT, "gitTree": OTHER}]
)
def test_the_repository_as_builders_write_it(uri: str, digest: dict[str, str]) -> None:
    assert _read(ours(source(digest, uri))).commit == COMMIT


def test_dependencies_are_many_and_in_no_order() -> None:
    image = {"uri": "pkg:docker/python@3.11", "digest": {"sha256": "a" * 64}}
    nameless = {"name": "pip", "digest": {"sha256": "b" * 64}}
    library = source({"gitCommit": OTHER}, f"git+{EVIL}@main")
    digest = {"sha256": "c" * 64}
    own_images = [
        {"uri": f"{start}gitlab.example.com:5050/acme/widgets@sha256:{'c' * 64}", "digest": digest}
        for start in ("", "docker://", "oci://")
    ]

    for listed in (
        [image, nameless, library, source()],
        [source(), source({"sha1": COMMIT}), library],
        [*own_images, source()],
    ):
        assert _read(ours(*listed)).repository == REPOSITORY


@pytest.mark.parametrize(
    "contradiction",
    [
        source({"gitCommit": OTHER}),
        source({"gitCommit": COMMIT, "sha1": OTHER}),
        source({"gitCommit": None}),
        source({"sha256": COMMIT}),
        source({}),
        source([]),
        source({"gitCommit": OTHER}, f"git+ssh://git@gitlab.example.com/acme/widgets.git@{REF}"),
        source({"gitCommit": OTHER}, "git@gitlab.example.com:acme/widgets.git"),
        source({"gitCommit": OTHER}, "git+http://gitlab.example.com:80/ACME/Widgets"),
        source({"gitCommit": OTHER}, "https://gitlab.example.com/acme%2Fwidgets"),
        source({"gitCommit": OTHER}, "https://gitlab.example.com./acme/widgets"),
        source({"gitCommit": OTHER}, "https://gitlab.example.com//acme/./other/../widgets"),
        source({"gitCommit": OTHER}, "https://\uff47itlab.example.com/acme/widgets"),
        source({"gitCommit": OTHER}, "https:\\\\gitlab.example.com\\acme\\widgets"),
        source({"gitCommit": OTHER}, "https://gitlab.example.com/acme/wid\tgets "),
        source({"gitCommit": OTHER}, "https:/gitlab.example.com/acme/widgets"),
        source({"gitCommit": OTHER}, "//gitlab.example.com/acme/widgets"),
        source({"gitCommit": OTHER}, "gitlab.example.com:acme/widgets"),
        source(uri=f"git+{REPOSITORY}@refs/heads/main"),
        source(uri=f"git+{REPOSITORY}@{OTHER}"),
        "git",
    ],
    ids=str,
)
def test_no_dependency_may_name_other_code_of_the_repository(contradiction: Any) -> None:
    _refused(ours(contradiction))
    _refused(ours(source(), contradiction))
    _refused(ours(contradiction, source()))


@pytest.mark.parametrize(
    "listed",
    [
        None,
        "git",
        [],
        [source(uri=f"git+{EVIL}")],
        [source(uri="git+https://gitlab.com/acme/widgets")],
        [source(uri=f"git+{REPOSITORY}-evil")],
        [source(uri="ssh://git@gitlab.example.com/acme/widgets")],
        [source(uri=None)],
        [source(uri=7)],
    ],
    ids=str,
)
def test_one_dependency_must_be_the_certified_code(listed: Any) -> None:
    predicate = changed(ours(), "buildDefinition.resolvedDependencies", listed)

    assert REPOSITORY in _refused(predicate).expected
