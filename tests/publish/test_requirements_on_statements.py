"""What a pin can require of provenance and annotations, and that no foreign statement meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pip_warden.digests import digest_of
from pip_warden.publish.provenance import ANNOTATIONS as WRITTEN
from pip_warden.sandbox import File
from pip_warden.verdict.attested import ANNOTATIONS as READ
from publish.conftest import Publisher, pin_text

WHEEL = "acme_widgets-1.0-py3-none-any.whl"


def _pin(publisher: Publisher, require: str) -> None:
    text = pin_text(publisher, "acme/acme-widgets", require=require)
    (publisher.directory / "pytrust.toml").write_text(text, encoding="utf-8")


def _verify(publisher: Publisher, *words: str) -> tuple[int, str]:
    result = publisher.run("pip-warden", "verify", "--format", "json", *words, f"dist/{WHEEL}")
    document = json.loads(result.stdout)
    line = document["files"][0] if document.get("files") else {}
    return result.returncode, line.get("refused", {}).get("code", line.get("outcome", document))


PROVENANCE = 'provenance = "https://slsa.dev/provenance/v1"'


def test_the_reader_and_the_writer_of_annotations_mean_the_same_type() -> None:
    assert WRITTEN == READ


def test_provenance_that_agrees_with_its_certificate_is_accepted(publisher: Publisher) -> None:
    _pin(publisher, PROVENANCE)
    assert publisher.sign(f"dist/{WHEEL}").returncode == 0
    assert _verify(publisher) == (1, "provenance-missing")
    assert publisher.attest(f"dist/{WHEEL}").returncode == 0

    assert _verify(publisher) == (0, "accepted")
    assert _verify(publisher, "--source-revision", publisher.job.variables()["CI_COMMIT_SHA"]) == (
        0,
        "accepted",
    )
    assert _verify(publisher, "--source-revision", "0" * 40) == (1, "source-revision-mismatch")


@pytest.mark.parametrize(
    "changes",
    [{"CI_COMMIT_SHA": "0" * 40}, {"CI_PROJECT_URL": "https://gitlab.com/evil/fork"}],
)
def test_provenance_of_other_code_than_the_certificates_is_refused(
    publisher: Publisher, changes: dict[str, str]
) -> None:
    _pin(publisher, PROVENANCE)
    publisher.sign(f"dist/{WHEEL}")
    assert publisher.attest(f"dist/{WHEEL}", **changes).returncode == 0

    assert _verify(publisher) == (1, "provenance-mismatch")


@pytest.mark.parametrize("spoil", ["extra", "none", "digest", "other"])
def test_anything_extra_or_missing_in_provenance_is_refused(publisher: Publisher, spoil: str) -> None:
    sha, url = publisher.job.variables()["CI_COMMIT_SHA"], publisher.job.variables()["CI_PROJECT_URL"]
    one: dict[str, object] = {"uri": f"git+{url}", "digest": {"gitCommit": sha}}
    dependencies = {
        "extra": [one, one],
        "none": [],
        "digest": [one | {"digest": {"gitCommit": sha, "sha256": "0" * 64}}],
        "other": [one | {"digest": {}}],
    }[spoil]
    (publisher.directory / "p.json").write_text(
        json.dumps({"buildDefinition": {"resolvedDependencies": dependencies}}), encoding="utf-8"
    )
    _pin(publisher, PROVENANCE)
    publisher.sign(f"dist/{WHEEL}")
    own = ["--predicate", "p.json", "--predicate-type", "https://slsa.dev/provenance/v1", "--kind", "slsa"]
    assert publisher.attest(*own, f"dist/{WHEEL}").returncode == 0

    assert _verify(publisher) == (1, "provenance-mismatch")


def test_annotations_are_demanded_by_the_pin_and_on_the_command_line(publisher: Publisher) -> None:
    _pin(publisher, 'annotations = { tag = "v{version}" }')
    publisher.sign(f"dist/{WHEEL}")
    assert _verify(publisher) == (1, "annotation-missing")
    assert publisher.attest("--annotation", "reviewed=yes", f"dist/{WHEEL}").returncode == 0

    assert _verify(publisher) == (0, "accepted")
    assert _verify(publisher, "--annotation", "reviewed=yes") == (0, "accepted")
    assert _verify(publisher, "--annotation", "reviewed=no") == (1, "annotation-mismatch")
    assert _verify(publisher, "--annotation", "audited=yes") == (1, "annotation-missing")


@pytest.mark.parametrize("command", [("verify", f"dist/{WHEEL}"), ("verify-release", "acme-widgets==1.0")])
@pytest.mark.parametrize("pinned_too", [True, False])
def test_a_demand_on_what_is_pinned_by_hash_is_refused(
    publisher: Publisher, command: tuple[str, ...], pinned_too: bool
) -> None:
    """Nothing of its signer is looked at, whatever it attests: a demand cannot be met."""
    (publisher.dist / "acme_widgets-1.0.tar.gz").unlink()
    wheel = (publisher.dist / WHEEL).read_bytes()
    publisher.sign(f"dist/{WHEEL}")
    publisher.attest("--annotation", "reviewed=yes", f"dist/{WHEEL}")
    publisher.sandbox.put_files(publisher.project, [File(name=WHEEL, data=wheel)])
    by_identity = pin_text(publisher, "acme/acme-widgets")
    by_hash = (
        '[[package]]\nname = "acme-widgets"\nsource = "acme"\nproject = "acme/acme-widgets"\n'
        f'version = "1.0"\nreason = "reviewed"\nsha256 = {{ "{WHEEL}" = "{digest_of(wheel)}" }}\n'
    )
    text = by_identity if pinned_too else by_identity.partition("[[package]]")[0]
    (publisher.directory / "pytrust.toml").write_text(text + by_hash, encoding="utf-8")
    token = publisher.sandbox.token(scopes=("api",))

    def verified(*words: str) -> tuple[int, str]:
        run = publisher.run("pip-warden", *command, "--format", "json", *words, GITLAB_TOKEN=token)
        (line,) = json.loads(run.stdout)["files"]
        return run.returncode, line.get("refused", {}).get("code", line["outcome"])

    assert verified() == (0, "accepted")
    commit = publisher.job.variables()["CI_COMMIT_SHA"]
    for words in (("--annotation", "reviewed=yes"), ("--source-revision", commit)):
        assert verified(*words) == (1, "demand-on-hash-pin")


def test_t55_another_identitys_statement_does_not_count(publisher: Publisher) -> None:
    _pin(publisher, PROVENANCE)
    publisher.sign(f"dist/{WHEEL}")
    stranger = publisher.sandbox.job(publisher.sandbox.project("acme/other"), tag="v1.0")
    job = stranger.variables() | {"SIGSTORE_ID_TOKEN": stranger.id_token()}
    assert publisher.attest(f"dist/{WHEEL}", **job).returncode == 0

    assert _verify(publisher) == (1, "provenance-missing")


def test_t13_a_changed_statement_beside_a_good_signature_is_refused(publisher: Publisher) -> None:
    _pin(publisher, PROVENANCE)
    publisher.sign(f"dist/{WHEEL}")
    publisher.attest(f"dist/{WHEEL}")
    for path in [*publisher.dist.glob("*.slsa.*")]:
        if path.name.endswith("attestation"):
            path.unlink()
        else:
            _flip(path)

    assert _verify(publisher) == (1, "provenance-missing")


def _flip(path: Path) -> None:
    document = json.loads(path.read_bytes())
    signature = document["dsseEnvelope"]["signatures"][0]
    signature["sig"] = (
        signature["sig"][:20] + ("A" if signature["sig"][20] != "A" else "B") + signature["sig"][21:]
    )
    path.write_text(json.dumps(document), encoding="utf-8")
