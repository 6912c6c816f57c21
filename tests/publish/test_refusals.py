"""What publishers are refused: signing what could be misread, uploads without evidence, early promotion."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from packaging.version import Version

import samples
from _sigstore.samples import CLAIMS, DATA, NOON, root_of, service
from pip_warden.digests import digest_of
from pip_warden.errors import RefusedError, UndecidedError, UsageError
from pip_warden.evidence.model import EvidenceForm
from pip_warden.evidence.names import MOST_KINDS
from pip_warden.promote.carried import further_kinds
from pip_warden.promote.plan import Plan, Policy, trust_from
from pip_warden.promote.run import check_age
from pip_warden.publish.registry import Destination, Registry
from pip_warden.publish.sign import checked, files_to_sign, write_all
from pip_warden.publish.signed import Planned, UploadResult, signed_files
from pip_warden.publish.token import read_token
from pip_warden.report.model import Report, line_of
from pip_warden.verdict.model import Accepted, SignedBy
from publish.conftest import Publisher


def test_what_reads_like_an_envelope_is_not_signed(tmp_path: Path) -> None:
    """Its signature could be read as that of a statement (DSSE signs ``DSSEv1`` and the payload)."""
    good, evil = tmp_path / "a-1.tar.gz", tmp_path / "b-1.tar.gz"
    good.write_bytes(b"DSSEv1")
    evil.write_bytes(b"DSSEv1 28 application/vnd.in-toto+json 2 {}")

    assert files_to_sign([good]) == (good,)
    with pytest.raises(UsageError) as caught:
        files_to_sign([good, evil])
    assert (caught.value.code, caught.value.exit_code) == ("not-signable", 2)


def test_t35_nothing_to_sign_is_no_success() -> None:
    with pytest.raises(UsageError) as caught:
        files_to_sign([])
    assert caught.value.code == "nothing-to-sign"


def test_evidence_is_not_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "a.sig").write_bytes(b"old")
    with pytest.raises(UsageError) as caught:
        write_all(tmp_path, {"a.crt": b"new", "a.sig": b"new"}, overwrite=False)
    assert caught.value.code == "evidence-exists"
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_a_signature_that_consumers_would_refuse_is_not_written() -> None:
    sigstore = service()
    bundle = json.dumps(sigstore.sign_blob(DATA, CLAIMS)).encode()
    ours: Any = SimpleNamespace(root=root_of(sigstore), stamps=0)
    another: Any = SimpleNamespace(root=root_of(service()), stamps=0)
    stamped: Any = SimpleNamespace(root=root_of(sigstore), stamps=1)

    assert checked("a.whl", bundle, digest_of(DATA), ours)[1].envelope is None
    for by, digest in ((another, digest_of(DATA)), (ours, digest_of(b"other"))):
        with pytest.raises(UndecidedError) as caught:
            checked("a.whl", bundle, digest, by)
        assert (caught.value.code, caught.value.exit_code) == ("unverifiable-signature", 3)
    with pytest.raises(UndecidedError) as caught:
        checked("a.whl", bundle, digest_of(DATA), stamped)
    assert (caught.value.code, caught.value.exit_code) == ("no-timestamp", 3)


def test_b23_a_log_that_signs_under_another_host_than_its_urls_is_not_signed_with(
    publisher: Publisher,
) -> None:
    """Go's clients refuse its entries."""
    path = publisher.directory / "trust_config.json"
    honest = publisher.sign(*publisher.files())
    config = json.loads(path.read_bytes())
    for log in config["trustedRoot"]["tlogs"]:
        log["baseUrl"] = log["baseUrl"].replace("127.0.0.1", "localhost")
    path.write_text(json.dumps(config), encoding="utf-8")
    misnamed = publisher.sign("--overwrite", *publisher.files())

    assert honest.returncode == 0, honest.stderr
    assert misnamed.returncode == 3
    assert "[unverifiable-signature]" in misnamed.stderr
    assert "checkpoint of the log 'localhost'" in misnamed.stderr


def test_t35_what_nothing_speaks_for_is_not_published(tmp_path: Path) -> None:
    wheel = tmp_path / samples.WHEEL
    wheel.write_bytes(b"x")
    for paths, code in (
        ([], "nothing-to-publish"),
        ([wheel], "unsigned"),
        ([tmp_path / "none"], "no-such-file"),
    ):
        with pytest.raises(UsageError) as caught:
            signed_files(paths)
        assert caught.value.code == code
    (tmp_path / f"{samples.WHEEL}.sigstore.json").write_bytes(b"{}")
    assert len(signed_files([wheel])[0].evidence) == 1


def test_a_file_that_changed_in_the_private_directory_is_not_uploaded(tmp_path: Path) -> None:
    wheel = tmp_path / samples.WHEEL
    wheel.write_bytes(b"x")
    (tmp_path / f"{samples.WHEEL}.sigstore.json").write_bytes(b"{}")
    (signed,) = signed_files([wheel])
    wheel.write_bytes(b"y")
    nobody: Any = SimpleNamespace()  # asked for nothing
    registry = Registry(nobody, Destination(instance="https://gitlab.com", project="1", path="a/b"))
    result = UploadResult(name=wheel.name, kind="file", outcome="would be uploaded", where="")

    with pytest.raises(RefusedError) as caught:
        registry.bring(Planned(signed=signed, path=wheel, result=result))
    assert (caught.value.code, caught.value.exit_code) == ("changed-after-verdict", 1)


GITLAB_COM = "https://gitlab.com"
TOKEN: dict[str, object] = {
    "iss": GITLAB_COM,
    "aud": "sigstore",
    "exp": int((NOON + timedelta(minutes=5)).timestamp()),
    "project_path": "acme/widgets",
    "project_id": "4711",
    "ci_config_ref_uri": "gitlab.com/acme/widgets//.gitlab-ci.yml@refs/tags/v1.0",
    "pipeline_source": "push",
}


def _token(**changes: object) -> str:
    claims = {key: value for key, value in (TOKEN | changes).items() if value is not None}
    return ".".join(["e30", base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("="), "x"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "pypi"}, "wrong-audience"),
        ({"aud": None}, "wrong-audience"),
        ({"aud": "sigstore2"}, "wrong-audience"),
        ({"exp": int(NOON.timestamp())}, "expired-token"),
        ({"exp": None}, "bad-identity-token"),
        ({"iss": "https://gitlab.example.com"}, "unknown-issuer"),
        ({"ci_config_ref_uri": None}, "config-not-in-project"),
        ({"ci_config_ref_uri": ""}, "config-not-in-project"),
        ({"pipeline_source": "merge_request_event", "job_project_id": "666"}, "fork-pipeline"),
    ],
)
def test_a_token_that_would_sign_badly(changes: dict[str, object], code: str) -> None:
    claimed = read_token(_token(), now=NOON, is_public_good=True)
    assert claimed.claimed_subject == "https://gitlab.com/acme/widgets//.gitlab-ci.yml@refs/tags/v1.0"
    with pytest.raises(UsageError) as caught:
        read_token(_token(**changes), now=NOON, is_public_good=True)
    assert caught.value.code == code


def _plan(**changes: Any) -> Plan:
    values: dict[str, Any] = {
        "project": samples.PROJECT,
        "version": Version("1.0"),
        "from_source": "acme",
        "from_registry": "acme/staging",
        "min_age": timedelta(hours=1),
        "now": datetime(2026, 6, 30, 12, tzinfo=UTC),
        "policy": Policy(uri="https://acme.example/pytrust.toml", digest=digest_of(b"")),
    }
    return Plan(**(values | changes))


@pytest.mark.parametrize(("minutes", "young"), [(59, True), (60, False)])
def test_a_release_is_promoted_when_it_is_old_enough(minutes: int, young: bool) -> None:
    plan = _plan()
    basis = SignedBy(
        label="a",
        form=EvidenceForm.BUNDLE,
        claims=samples.claims(),
        log_index=1,
        log_time=plan.now - timedelta(minutes=minutes),
        root="default",
    )
    report = Report(
        command="x", exit_code=0, lines=(line_of(Accepted(artifact=samples.artifact(), basis=basis)),)
    )

    if young:
        with pytest.raises(RefusedError) as caught:
            check_age(report, plan)
        assert (caught.value.code, caught.value.exit_code) == ("too-young", 1)
    else:
        check_age(report, plan)


def test_the_registry_does_not_say_where_evidence_is_written() -> None:
    """Each name that it lists is a plain name next to the file, or ignored; and their number is limited."""
    kinds = ("sbom", "vsa", "./../../x", "/x", "a b", "", "publish", "a" * 300, "x.y")
    listed = [f"{samples.WHEEL}.{kind}.sigstore.json" for kind in kinds]
    listed += [f"../{samples.WHEEL}.b.sigstore.json", f"{samples.WHEEL}.sig", "other.whl.a.sigstore.json"]
    many = [f"{samples.WHEEL}.k{number}.sigstore.json" for number in range(99)]

    assert further_kinds(samples.WHEEL, listed) == ((".sbom.sigstore.json",), ())
    assert [len(each) for each in further_kinds(samples.WHEEL, many)] == [MOST_KINDS, 99 - MOST_KINDS]
    assert further_kinds(samples.WHEEL, many, ("k98", "slsa")) == ((".k98.sigstore.json",), ())


def test_only_what_an_identity_is_pinned_for_is_promoted() -> None:
    moved = trust_from(samples.trust(samples.entry(registry_id=4711)), _plan()).entries[0]

    assert (moved.registry, moved.registry_id) == ("acme/staging", None)
    for trust, plan in (
        (samples.trust(samples.hash_entry()), _plan()),
        (samples.trust(), _plan(from_source="pypi")),
        (replace(samples.trust(), sources=(replace(samples.SOURCE, type="simple"),)), _plan()),
    ):
        with pytest.raises(UsageError) as caught:
            trust_from(trust, plan)
        assert caught.value.code == "not-promotable"
