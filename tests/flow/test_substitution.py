"""T20 to T23, T27, T28: a registry that lies about the publisher of a file, or about its release.

What a verdict rests on is the same with and without a pip; one test of each kind goes through a whole one.
"""

from __future__ import annotations

import json

import pytest

from flow.user import User
from ordinary import parametrized
from pip_warden.cli.verify import command as verify
from pip_warden.sandbox import File, Project

TAG = "//.gitlab-ci.yml@refs/tags/v{version}"


def evidence_of(user: User, project: Project, file: File) -> bytes:
    return user.sandbox.evidence(project, f"{file.name}.sigstore.json")


def put(user: User, project: Project, file: File, bundle: bytes) -> None:
    """Put a file and its claimed evidence, as a Developer can."""
    user.sandbox.put_evidence(project, file.version, {f"{file.name}.sigstore.json": bundle})
    user.sandbox.put_files(project, [file])


def test_t20_older_release_under_a_newer_name(user: User) -> None:
    project = user.published("1.0")
    old = user.wheel(project)
    newer = File(name=old.name.replace("1.0", "2.0"), data=old.data)
    put(user, project, newer, evidence_of(user, project, old))
    result = user.refused(project.record.name, code="version-inside-differs", files=[newer])
    assert result.accepted == set()


def test_t20_other_project_s_wheel_under_this_name(user: User) -> None:
    other, project = user.published("2.0"), user.published("1.0")
    theirs = user.wheel(other, "2.0")
    renamed = File(name=theirs.name.replace(other.record.name, project.record.name), data=theirs.data)
    put(user, project, renamed, evidence_of(user, other, theirs))
    user.judged_bad(project, "2.0", code="name-inside-differs", files=[renamed])


def test_t20_old_sdist_under_a_newer_name(user: User) -> None:
    project = user.project()
    user.pin(project)
    old = user.sdist(project, marker=user.home / "ran")
    user.sandbox.publish(project, [old])
    newer = File(name=old.name.replace("1.0", "2.0"), data=old.data)
    put(user, project, newer, evidence_of(user, project, old))
    user.judged_bad(project, "2.0", code="version-inside-differs", files=[newer])
    assert not (user.home / "ran").exists()


def test_t21_package_of_the_same_signer_under_this_name(user: User) -> None:
    """One identity signs two packages of a monorepo; neither's wheel is accepted as the other's."""
    mono = user.project()
    gears, widgets = f"{mono.record.name}-gears", f"{mono.record.name}-widgets"
    for name in (gears, widgets):
        user.pin(mono, name=name)
    good = user.sandbox.wheel(gears, "2.0")
    user.sandbox.publish(mono, [good, user.sandbox.wheel(widgets, "1.0")])
    renamed = File(
        name=good.name.replace("gears", "widgets"),
        data=good.data,
    )
    put(user, mono, renamed, evidence_of(user, mono, good))
    user.refused(widgets, code="name-inside-differs", files=[renamed])
    assert user.install(gears, f"{widgets}==1.0").code == 0


def test_t21_attestation_about_another_package_of_the_same_signer(user: User) -> None:
    """A statement names its subject: one about another file with these bytes does not count for this one."""
    mono = user.project()
    gears, widgets = f"{mono.record.name}-gears", f"{mono.record.name}-widgets"
    user.pin(mono, name=widgets)
    wheel = user.sandbox.wheel(widgets, "1.0")
    job = user.sandbox.job(mono, tag="v1.0")
    claimed = File(name=wheel.name.replace("widgets", "gears"), data=wheel.data)
    made = user.sandbox.sign(claimed, job, ("pep740",))
    assert gears.replace("-", "_") in claimed.name
    evidence = {f"{wheel.name}.publish.attestation": next(iter(made.values()))}
    user.sandbox.put_evidence(mono, "1.0", evidence)
    user.sandbox.put_files(mono, [wheel])
    user.refused(widgets, code="subject-mismatch", files=[wheel])


@pytest.mark.parametrize("bad", [b"{}", b"<html></html>", b"", b"of another file"])
def test_t22_bad_newest_row_masks_nothing(user: User, bad: bytes) -> None:
    project = user.published()
    name = f"{user.wheel(project).name}.sigstore.json"
    other = user.published(pinned=False)
    if bad == b"of another file":
        bad = evidence_of(user, other, user.wheel(other))
    user.sandbox.replace_evidence(project, name, bad, newer_row=True)
    user.sandbox.replace_evidence(project, name, bad, newer_row=True)
    result = user.judge(project)
    assert (result.code, result.accepted) == (0, {user.wheel(project).name}), result.output
    assert result.line(user.wheel(project).name)["bad_evidence"], "a bad item is reported"


def test_t22_bad_form_beside_a_good_one_masks_nothing(user: User) -> None:
    project = user.published(forms=("bundle", "pep740"))
    user.sandbox.replace_evidence(project, f"{user.wheel(project).name}.sigstore.json", b"{}")
    result = user.judge(project)
    assert result.code == 0, result.output
    line = result.line(user.wheel(project).name)
    assert (line["accepted"]["form"], len(line["bad_evidence"])) == ("pep740", 1), line


def test_t22_only_bad_rows(user: User) -> None:
    project = user.published()
    wheel = user.wheel(project)
    user.sandbox.replace_evidence(project, f"{wheel.name}.sigstore.json", b"{}")
    user.sandbox.replace_evidence(project, f"{wheel.name}.sigstore.json", b"[]", newer_row=True)
    result = user.judged_bad(project, code="bad-bundle", files=[wheel])
    assert len(result.line(wheel.name)["bad_evidence"]) == 2


@parametrized("keep_claimed_hash", [True, False], ordinary={0})
def test_t22_old_valid_bundle_over_changed_bytes(user: User, *, keep_claimed_hash: bool) -> None:
    project = user.published()
    evil = user.wheel(project, files={f"{project.record.name}/__init__.py": "import os\n"})
    user.sandbox.tamper(project, evil.name, data=evil.data, keep_claimed_hash=keep_claimed_hash)
    code = "index-digest-differs" if keep_claimed_hash else "bad-signature"
    user.refused(project.record.name, code=code, files=[evil])


def test_t23_no_evidence_is_a_refusal(user: User) -> None:
    project = user.published(forms=())
    user.judged_bad(project, code="no-evidence", files=[user.wheel(project)])


def test_t23_release_without_evidence_after_signed_ones(user: User) -> None:
    project = user.published("1.0")
    unsigned = user.wheel(project, "2.0")
    user.sandbox.put_files(project, [unsigned])
    result = user.refused(project.record.name, code="no-evidence", files=[unsigned])
    assert result.accepted == set(), "no older release in its place"


@pytest.mark.parametrize(
    "issuer",
    [
        "https://127.0.0.1.evil.example",
        "https://127.0.0.1",
        "{issuer}/",
    ],
)
def test_t27_issuer_is_compared_whole(user: User, issuer: str) -> None:
    """The certificate's issuer is the GitLab's; the pin names a similar one."""
    project = user.published(pinned=False)
    lookalike = issuer.format(issuer=user.sandbox.issuer)
    user.blocks[1] = user.blocks[1].replace('"]', f'", "{lookalike}"]')
    user.pin(project, issuer=lookalike)
    user.judged_bad(project, code="issuer-mismatch", files=[user.wheel(project)])


def test_t28_same_subject_from_another_issuer(user: User) -> None:
    """Another GitLab that Fulcio trusts can have a project of the same path, and so the same subject."""
    project = user.published(pinned=False)
    user.blocks[1] = user.blocks[1].replace('"]', '", "https://other.example.com"]')
    user.pin(project, issuer="https://other.example.com")
    user.judged_bad(project, code="issuer-mismatch", files=[user.wheel(project)])


@pytest.mark.parametrize("given", ["--certificate-identity", "--certificate-oidc-issuer"])
def test_t28_neither_identity_nor_issuer_alone(user: User, given: str) -> None:
    project = user.published(pinned=False)
    wheel = user.wheel(project)
    (user.home / wheel.name).write_bytes(wheel.data)
    words = (given, user.sandbox.issuer, "--trusted-root", str(user.root), wheel.name)
    result = user.type(*words, command=verify, name="pip-warden verify")
    assert (result.code, result.codes) == (2, {"issuer-needed"}), result.output


def test_t21_signed_by_another_project(user: User) -> None:
    other, project = user.project(), user.project()
    user.pin(project)
    wheel = user.wheel(project)
    user.sandbox.publish(project, [wheel], job=user.sandbox.job(other, tag="v1.0"))
    user.judged_bad(project, code="identity-mismatch", files=[wheel])


def test_signed_on_a_branch_of_the_tag_s_name(user: User) -> None:
    project = user.project()
    user.pin(project)
    wheel = user.wheel(project)
    user.sandbox.publish(project, [wheel], job=user.sandbox.job(project, "v1.0"))
    user.judged_bad(project, code="identity-mismatch", files=[wheel])


def test_t20_wheel_of_one_tag_released_under_another(user: User) -> None:
    """The subject binds the version to the tag: the pipeline of v1.0 cannot sign 2.0."""
    project = user.published("1.0")
    wheel = user.wheel(project, "2.0")
    user.sandbox.publish(project, [wheel], job=user.sandbox.job(project, tag="v1.0"))
    user.judged_bad(project, "2.0", code="identity-mismatch", files=[wheel])


def with_half_a_character(bundle: bytes) -> bytes:
    """Return a good bundle with half a character (a lone surrogate), which cannot be written to a file."""
    document = json.loads(bundle)
    document["verificationMaterial"]["tlogEntries"][0]["kindVersion"]["kind"] = "\ud800"
    return json.dumps(document).encode()


def test_b04_half_a_character_in_the_newest_row_masks_nothing(user: User) -> None:
    project = user.published()
    wheel = user.wheel(project)
    bad = with_half_a_character(evidence_of(user, project, wheel))
    user.sandbox.replace_evidence(project, f"{wheel.name}.sigstore.json", bad, newer_row=True)
    result = user.install(project.record.name)
    assert (result.code, user.installed()) == (0, {project.record.name: "1.0"}), result.output
    assert [item["code"] for item in result.line(wheel.name)["bad_evidence"]] == ["bad-bundle"]


def test_b04_half_a_character_in_the_first_form_masks_nothing(user: User) -> None:
    project = user.published(forms=("pep740",))
    wheel = user.wheel(project)
    other = user.published(pinned=False)
    bad = with_half_a_character(evidence_of(user, other, user.wheel(other)))
    user.sandbox.put_evidence(project, "1.0", {f"{wheel.name}.sigstore.json": bad})
    result = user.judge(project)
    assert (result.code, result.accepted) == (0, {wheel.name}), result.output
    assert [item["code"] for item in result.line(wheel.name)["bad_evidence"]] == ["bad-bundle"]
