"""``trust add --image`` where the registry is asked who signs its images."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.terminal import Person, Said, typed
from pip_warden.sandbox import Job, Project
from pip_warden.sandbox.signing import provenance

SIGN = "https://sigstore.dev/cosign/sign/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"


@dataclass
class App:
    """The images of a project, and the person who wants to pin them."""

    person: Person
    project: Project
    images: dict[str, Any] = field(default_factory=dict)

    @property
    def realm(self) -> str:
        return f"{self.person.sandbox.gitlab_url}/jwt/auth"

    def subject(self, ref: str) -> str:
        host = self.person.sandbox.gitlab_url.partition("//")[2]
        return f"https://{host}/{self.project.path}//.gitlab-ci.yml@refs/{ref}"

    def push(self, tag: str) -> str:
        self.images[tag] = self.person.sandbox.image({"version": tag.encode()})
        return self.person.sandbox.push_image(self.project, self.images[tag], tag)

    def job(self, tag: str | None = None, **options: Any) -> Job:
        return self.person.sandbox.job(self.project, tag=tag, **options)

    def sign(self, tag: str, job: Job, kind: str = SIGN, /, *, of: str = "", **annotations: str) -> None:
        """Sign an image, or say that it is another tag's."""
        sandbox, about = self.person.sandbox, self.images[tag]
        digest = self.images[of or tag].digest.removeprefix("sha256:")
        subject: dict[str, Any] = {"digest": {"sha256": digest}}
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [subject | ({"annotations": annotations} if annotations else {})],
            "predicateType": kind,
            "predicate": provenance(job) if kind == PROVENANCE else {},
        }
        bundle = json.dumps(sandbox.sigstore.sign_statement(statement, job.claims())).encode()
        sandbox.attach(self.project, about.digest, sandbox.artifact(bundle, subject=about))

    def signed(self, tag: str, **options: Any) -> str:
        digest = self.push(tag)
        self.sign(tag, self.job(f"v{tag}", **options), tag=tag)
        return digest

    def add(self, what: str = "", *words: str, answers: str | None = None) -> Said:
        root = () if self.person.file.exists() else ("--trusted-root", str(self.person.root))
        return typed("trust", "add", "--image", f"{self.project.image}{what}", *root, *words, answers=answers)

    def pinned(self) -> Any:
        (image,) = tomllib.loads(self.person.file.read_text())["image"]
        return image


@pytest.fixture
def app(person: Person) -> App:
    person.patch.delenv("GITLAB_TOKEN")
    return App(person, person.project(visibility="public"))


def refused(said: Said, code: str, exit_code: int = 1) -> str:
    assert (said.code, f"[{code}]" in said.err) == (exit_code, True), said.err
    return " ".join(said.err.split())


def test_who_signed_is_shown_asked_about_and_pinned(app: App) -> None:
    digest = app.push("1.0")
    job = app.job("v1.0")
    app.sign("1.0", job, tag="1.0", branch="main")
    app.sign("1.0", job, PROVENANCE)

    said = app.add(":1.0", answers="y\n")

    assert said.code == 0, said.err
    assert "Pin this signer?" in said.err
    shown = [line.split() for line in said.out.splitlines()]
    assert shown[0] == [f"{app.project.image}:1.0@{digest}"]
    for row in (
        ["signed", "by", app.subject("tags/v1.0")],
        ["issued", "by", app.person.sandbox.gitlab_url],
        ["project", "id", str(app.project.id)],
        ["source", app.project.url],
        ["commit", job.claims()["sha"]],
        ["ref", "refs/tags/v1.0"],
        ["trigger", "push"],
        ["annotation", "tag=1.0"],
        ["annotation", "branch=main"],
        ["pinned", "as", app.subject("tags/v{tag}")],
    ):
        assert row in shown, said.out
    assert any(row[:4] == ["provenance", "of", "the", "builder"] for row in shown), said.out
    assert "Protect that tag pattern" in said.out
    assert app.pinned() == {
        "repository": app.project.image,
        "identity": [
            {
                "issuer": app.person.sandbox.gitlab_url,
                "subject": app.subject("tags/v{tag}"),
                "project-id": app.project.id,
            }
        ],
    }
    assert typed("trust", "check").code == 0


def test_nothing_is_pinned_unasked_and_by_its_digest_no_tag_is_known(app: App) -> None:
    digest = app.signed("1.0")
    with app.person.untouched():
        refused(app.add(":1.0", answers="n\n"), "declined")
        refused(app.add(":1.0"), "yes-needed", 2)
    said = app.add(f"@{digest}", answers="y\n")
    assert said.code == 0, said.err
    assert app.pinned()["identity"][0]["subject"] == app.subject("tags/v1.0")


def test_without_a_tag_the_highest_version_is_looked_at(app: App) -> None:
    for tag in ("latest", "20991231", "0.9", "1.10.0", "1.9", "2.0rc1"):
        app.signed(tag)
    said = app.add(answers="y\n")
    assert said.code == 0, said.err
    assert f"{app.project.image}:1.10.0 is looked at" in said.err
    assert said.out.startswith(f"{app.project.image}:1.10.0@")


def test_without_a_tag_that_stands_out_one_is_asked_for(app: App) -> None:
    refused(app.add(), "not-found", 3)
    app.signed("latest")
    app.signed("edge")
    with app.person.untouched():
        assert f"--image {app.project.image}:TAG" in refused(app.add(), "tag-needed", 2)


@pytest.mark.parametrize("words", [("--realm",), ()])
def test_yes_pins_what_nothing_speaks_against(app: App, words: tuple[str, ...]) -> None:
    """Only a realm, or the job itself, says whose GitLab the registry is of."""
    app.signed("1.0")
    if not words:
        app.person.patch.setenv("CI_REGISTRY", app.project.image.partition("/")[0])
        app.person.patch.setenv("CI_SERVER_URL", app.person.sandbox.gitlab_url)
    said = app.add(":1.0", "--yes", *words, *([app.realm] if words else []))
    assert said.code == 0, said.err
    assert app.pinned().get("realm") == (app.realm if words else None)


def test_yes_pins_nothing_that_something_speaks_against(app: App) -> None:
    app.signed("1.0")
    app.signed("2.0", pipeline_source="schedule")
    app.push("3.0")
    app.sign("3.0", app.job())
    other = app.person.project()
    app.push("4.0")
    app.sign("4.0", app.person.sandbox.job(other, tag="v4.0"))
    realm = ("--realm", app.realm)
    with app.person.untouched():
        for tag, words, told in (
            ("1.0", (), "nothing says whose GitLab"),
            ("1.0", ("--realm", "https://gitlab.example.com/jwt/auth"), "is not the registry's GitLab"),
            ("2.0", realm, "the pipeline was started by schedule, not by push"),
            ("3.0", realm, "refs/heads/main is neither a tag nor the default branch"),
            ("4.0", realm, f"the repository is not of the signer's project, {other.path}"),
        ):
            assert told in refused(app.add(f":{tag}", "--yes", *words), "not-pinned-unasked")
    assert app.add(":2.0", *realm, answers="y\n").code == 0
    assert app.pinned()["require"] == {"build-trigger": ["schedule"]}


def test_several_signers_are_shown_and_one_is_chosen(app: App) -> None:
    other = app.person.project()
    app.signed("1.0")
    app.sign("1.0", app.person.sandbox.job(other, tag="v1.0"))
    with app.person.untouched():
        said = app.add(":1.0", answers="y\n")
    message = refused(said, "several-signers")
    theirs = app.subject("tags/v{tag}").replace(app.project.path, other.path)
    assert app.subject("tags/v{tag}") in message
    assert theirs in message
    assert said.out.count("signed by") == 2

    chosen = ("--identity", theirs, "--issuer", app.person.sandbox.gitlab_url)
    said = app.add(":1.0", *chosen, answers="y\n")
    assert said.code == 0, said.err
    assert [each["subject"] for each in app.pinned()["identity"]] == [theirs]


def test_two_projects_that_had_the_same_path_are_told_apart_by_their_id(app: App) -> None:
    """Whoever takes over a path signs under the subject of whoever had it."""
    app.signed("1.0")
    job = app.job("v1.0")
    taken_over = SimpleNamespace(claims=lambda: job.claims() | {"project_id": str(app.project.id + 1)})
    app.sign("1.0", cast("Job", taken_over), tag="1.0")
    with app.person.untouched():
        message = refused(app.add(":1.0", answers="y\n"), "several-signers")
    assert "--identity SUBJECT --issuer URL --project-id ID." in message
    assert f"(project id {app.project.id + 1})" in message

    signer = ("--identity", app.subject("tags/v{tag}"), "--issuer", app.person.sandbox.gitlab_url)
    with app.person.untouched():
        assert "--project-id ID." in refused(app.add(":1.0", *signer, "--yes"), "several-signers")
    said = app.add(":1.0", *signer, "--project-id", str(app.project.id), "--yes")
    assert said.code == 0, said.err
    assert [each["project-id"] for each in app.pinned()["identity"]] == [app.project.id]


def test_who_cannot_be_pinned_is_no_choice(app: App) -> None:
    """A merge request of a fork runs under the project's own name, as far as its subject says."""
    fork = app.person.project()
    app.push("1.0")
    app.sign("1.0", app.job("v1.0", source_project=fork, pipeline_source="merge_request_event"))
    with app.person.untouched():
        refused(app.add(":1.0", answers="y\n"), "source-not-own")
    app.sign("1.0", app.person.sandbox.job(app.person.project(), tag="v1.0", pipeline_source="web"))
    with app.person.untouched():
        refused(app.add(":1.0", answers="y\n"), "source-not-own")


def test_a_named_signer_must_have_signed_what_is_named(app: App) -> None:
    app.signed("1.0")
    gitlab = app.person.sandbox.gitlab_url
    for subject, code in (
        (app.subject("tags/{tag}"), "identity-mismatch"),
        (app.subject("heads/main"), "identity-mismatch"),
    ):
        with app.person.untouched():
            refused(app.add(":1.0", "--identity", subject, "--issuer", gitlab, "--yes"), code)
    mine = ("--identity", app.subject("tags/v{tag}"), "--issuer", gitlab, "--yes")
    with app.person.untouched():
        refused(app.add(":1.0", *mine, "--project-id", "5"), "project-id-mismatch")
        refused(app.add(":1.0", *mine, "--build-trigger", "schedule"), "build-trigger-refused")
        refused(app.add(":1.0", *mine, "--require-provenance"), "provenance-missing")
        refused(app.add(":1.0", *mine, "--require-annotation", "tag=2.0"), "annotation-mismatch")
        refused(app.add(":1.0", *mine, "--offline"), "offline", 3)
    assert app.add(":1.0", *mine, "--require-annotation", "tag={tag}").code == 0
    assert [each["project-id"] for each in app.pinned()["identity"]] == [app.project.id]


def test_a_named_signer_that_is_pinned_without_an_id_stays_as_it_is(app: App) -> None:
    mine = ("--identity", app.subject("tags/v{tag}"), "--issuer", app.person.sandbox.gitlab_url, "--yes")
    app.signed("1.0")
    assert app.add("", *mine).code == 0
    with app.person.untouched():
        assert app.add(":1.0", *mine).code == 0
    assert "project-id" not in app.pinned()["identity"][0]


def test_a_named_signer_s_unusual_trigger_is_spelled_out_or_asked_about(app: App) -> None:
    app.signed("1.0", pipeline_source="schedule")
    mine = ("--identity", app.subject("tags/v{tag}"), "--issuer", app.person.sandbox.gitlab_url)
    with app.person.untouched():
        assert "--build-trigger schedule" in refused(app.add(":1.0", *mine, "--yes"), "not-pinned-unasked")
    assert app.add(":1.0", *mine, "--yes", "--build-trigger", "schedule").code == 0


def test_nothing_good_is_refused_with_the_reason(app: App) -> None:
    app.push("1.0")
    app.push("2.0")
    with app.person.untouched():
        refused(app.add(":1.0", "--yes"), "no-evidence")
        app.sign("1.0", app.job("v1.0"), PROVENANCE, of="2.0")
        refused(app.add(":1.0", "--yes"), "subject-mismatch")
        app.sign("2.0", app.job("v2.0"), "https://spdx.dev/Document")
        refused(app.add(":2.0", "--yes"), "predicate-type-refused")
        refused(app.add(":3.0", "--yes"), "not-found", 3)


def test_what_is_revoked_is_not_pinned(app: App) -> None:
    digest = app.signed("1.0")
    assert app.add(":1.0", answers="y\n").code == 0
    (removed,) = [typed("trust", "remove", "--image", app.project.image, "--yes")]
    assert removed.code == 0
    with app.person.file.open("a") as file:
        file.write(f'\n[[revoked]]\nsha256 = "{digest.removeprefix("sha256:")}"\nreason = "broken into"\n')
    with app.person.untouched():
        refused(app.add(":1.0", answers="y\n"), "revoked")


def test_what_is_pinned_already_is_told_and_another_signer_is_a_doubt(app: App) -> None:
    app.signed("1.0")
    app.signed("2.0")
    app.push("main")
    app.sign("main", app.job())
    assert app.add(":1.0", "--realm", app.realm, "--yes").code == 0
    with app.person.untouched():
        said = app.add(":2.0")
        assert (said.code, "says so already" in said.out) == (0, True), said.err
        message = refused(app.add(":main", "--yes"), "not-pinned-unasked")
        assert "the trust file pins another signer already" in message
    assert app.add(":main", answers="y\n").code == 0
    assert [each["subject"] for each in app.pinned()["identity"]] == [
        app.subject("tags/v{tag}"),
        app.subject("heads/main"),
    ]


def test_a_repository_close_to_a_pinned_one_is_asked_about(app: App) -> None:
    app.signed("1.0")
    near = app.project.image.replace("acme/", "amce/")
    signer = ("--identity", app.subject("tags/v{tag}"), "--issuer", app.person.sandbox.gitlab_url)
    root = ("--trusted-root", str(app.person.root))
    assert typed("trust", "add", "--image", near, *signer, *root, "--yes").code == 0
    with app.person.untouched():
        assert near in refused(app.add(":1.0", "--realm", app.realm, "--yes"), "close-to-pinned")
        said = app.add(":1.0", answers="n\n")
        assert (said.code, "Do you mean" in said.err) == (1, True), said.err
    assert app.add(":1.0", answers="y\ny\n").code == 0


def test_the_realm_that_is_named_is_shown_credentials_in_this_run(app: App, tmp_path: Path) -> None:
    app.project = app.person.project(visibility="private")
    app.signed("1.0")
    login = tmp_path / "login"
    login.write_text(f"someone:{app.person.sandbox.token(scopes=('api',))}\n")
    login.chmod(0o600)
    held = ("--token-file", f"{app.project.image.partition('/')[0]}={login}")
    with app.person.untouched():
        refused(app.add(":1.0", *held, answers="y\n"), "registry-realm", 3)
    said = app.add(":1.0", *held, "--realm", app.realm, answers="y\n")
    assert said.code == 0, said.err
    assert app.pinned()["realm"] == app.realm

    named = ("image", "verify", f"{app.project.image}:1.0", *held, "--certificate-identity")
    signer = (app.subject("tags/v1.0"), "--certificate-oidc-issuer", app.person.sandbox.gitlab_url)
    root, file = ("--trusted-root", str(app.person.root)), ("--trust", str(app.person.file))
    assert typed(*named, *signer).code == 0  # its root is used, and so is its realm
    assert typed(*named, *signer, *root, *file).code == 0
    refused(typed(*named, *signer, *root), "registry-realm", 3)  # nothing of it is used
