"""``trust add``: what is shown, asked, pinned, and not pinned (T56)."""

from __future__ import annotations

import os
import re
import tomllib
from typing import Any

import pytest

from cli.terminal import Person, Terminal, typed
from pip_warden.sandbox import Project
from pip_warden.sandbox.faults import Answer


def pinned(person: Person) -> Any:
    return tomllib.loads(person.file.read_text())


def tag_pattern(project: Project) -> str:
    return f"https://{project.url.partition('://')[2]}//.gitlab-ci.yml@refs/tags/v{{version}}"


def test_first_add_makes_the_file_and_pins_the_root(person: Person) -> None:
    project = person.published("1.0", "1.1")
    said = person.add(project, "--yes")
    assert said.code == 0, said.err
    file = pinned(person)
    assert file["sigstore"]["issuers"] == [person.sandbox.issuer]
    assert (person.home / "trusted_root.json").read_bytes() == person.root.read_bytes()
    (package,) = file["package"]
    (identity,) = package["identity"]
    assert (identity["subject"], identity["issuer"]) == (tag_pattern(project), person.sandbox.issuer)
    assert str(identity["project-id"]) == str(project.id)
    assert typed("trust", "check").code == 0


def test_both_forms_of_a_tag_are_shown(person: Person) -> None:
    project = person.published("1.4")
    said = person.add(project, "--yes")
    own = tag_pattern(project).replace("{version}", "1.4")
    assert f"signed by   {own}\n" in said.out
    assert f"pinned as   {tag_pattern(project)}\n" in said.out
    for fact in ("issued by", "project id", "ref", "runner", "time", "log index"):
        assert f"\n  {fact}" in said.out
    assert "Protect that tag pattern" in said.out


def test_second_package_keeps_comments_and_the_root(person: Person) -> None:
    assert person.add(person.published(), "--yes").code == 0
    person.file.write_text(person.file.read_text() + "\n# ours\n")
    said = person.add(person.published(), "--yes")
    assert said.code == 0, said.err
    assert "# ours" in person.file.read_text()
    assert (len(pinned(person)["package"]), len(pinned(person)["source"])) == (2, 1)


def test_what_is_pinned_already_changes_nothing(person: Person) -> None:
    project = person.published()
    assert person.add(project, "--yes").code == 0
    with person.untouched():
        said = person.add(project, "--yes")
    assert (said.code, "says so already" in said.out) == (0, True)


def test_another_signer_is_added_after_a_yes_only(person: Person) -> None:
    project = person.published("1.0")
    assert person.add(project, "--yes").code == 0
    person.published("1.1", project=project, job=person.sandbox.job(project, "main"))
    with person.untouched():
        said = person.add(project, "--yes")
    assert (said.code, "another signer" in said) == (1, True)
    said = person.add(project, answers="y\n")
    assert said.code == 0, said.err
    subjects = [identity["subject"] for identity in pinned(person)["package"][0]["identity"]]
    assert subjects == [tag_pattern(project), tag_pattern(project).replace("tags/v{version}", "heads/main")]


def test_default_branch_is_pinned_as_it_is(person: Person) -> None:
    project = person.project()
    person.published("1.0", project=project, job=person.sandbox.job(project, "main"))
    said = person.add(project, "--yes")
    assert said.code == 0, said.err
    assert pinned(person)["package"][0]["identity"][0]["subject"].endswith("@refs/heads/main")


@pytest.mark.parametrize("signer", ["project", "branch", "merge request", "schedule"])
def test_t56_yes_pins_no_doubtful_signer(person: Person, signer: str) -> None:
    project, other = person.project(), person.project()
    job = {
        "project": lambda: person.sandbox.job(other, tag="v1.0"),
        "branch": lambda: person.sandbox.job(project, "feature"),
        "merge request": lambda: person.sandbox.job(
            project, "refs/merge-requests/1/head", pipeline_source="merge_request_event"
        ),
        "schedule": lambda: person.sandbox.job(project, tag="v1.0", pipeline_source="schedule"),
    }[signer]()
    person.published("1.0", project=project, job=job)
    with person.untouched():
        said = person.add(project, "--yes")
    assert (said.code, "error[not-pinned-unasked]" in said.err) == (1, True), said.err
    assert "warning: " in said.err


def test_t56_yes_pins_no_other_issuer(person: Person) -> None:
    project = person.project()
    job = person.sandbox.job(project, tag="v1.0", iss="https://gitlab.example.com")
    person.published("1.0", project=project, job=job)
    with person.untouched():
        said = person.add(project, "--yes")
    assert (said.code, "is not the source's GitLab" in said.err) == (1, True), said.err


def test_t56_default_branch_needs_somebody_who_may_ask_for_it(person: Person) -> None:
    project = person.project()
    person.published("1.0", project=project, job=person.sandbox.job(project, "main"))
    person.use_token(None)
    person.patch.delenv("GITLAB_URL")
    for name, value in person.sandbox.job(project).variables().items():
        person.patch.setenv(name, value)
    with person.untouched():
        said = person.add(project, "--yes")
    assert (said.code, "the default branch (unknown)" in said.err) == (1, True), said.err


@pytest.mark.parametrize("older", ["another", "unsigned"])
def test_t56_older_releases_must_agree(person: Person, older: str) -> None:
    project = person.project()
    sandbox = person.sandbox
    if older == "another":
        person.published("1.0", project=project, job=sandbox.job(project, "feature"))
    else:
        sandbox.publish(project, [sandbox.wheel(project.record.name, "1.0")], forms=())
    person.published("1.1", project=project)
    with person.untouched():
        said = person.add(project, "--yes")
    assert (said.code, "not-pinned-unasked" in said.err) == (1, True), said.err
    assert person.add(project, answers="y\n").code == 0


def test_nobody_to_ask(person: Person) -> None:
    project = person.published()
    with person.untouched():
        said = person.add(project)
    assert (said.code, "error[yes-needed]" in said.err) == (2, True)


def test_declined_question_changes_nothing(person: Person) -> None:
    project = person.published()
    with person.untouched():
        said = person.add(project, answers="n\n")
    assert (said.code, "error[declined]" in said.err) == (1, True)
    with person.untouched():
        assert person.add(project, answers="").code == 130


@pytest.mark.parametrize("is_new", [True, False])
def test_a_file_that_changes_while_we_ask_is_left_as_it_is(person: Person, is_new: bool) -> None:
    class Meanwhile(Terminal):
        def isatty(self) -> bool:  # called right before the question
            person.file.write_text("# somebody's change\n", encoding="utf-8")
            return True

    if not is_new:
        assert person.add(person.published(), answers="y\n").code == 0
    said = person.add(person.published(), answers=Meanwhile("y\n"))

    assert (said.code, "error[trust-file-changed]" in said.err) == (2, True), said.err
    assert person.file.read_text(encoding="utf-8") == "# somebody's change\n"


def test_identity_spelled_out(person: Person) -> None:
    project = person.project()
    person.published("1.0", project=project, job=person.sandbox.job(project, "feature"))
    subject = tag_pattern(project).replace("tags/v{version}", "heads/feature")
    with person.untouched():
        wrong = person.add(project, "--identity", subject + "x", "--issuer", person.sandbox.issuer)
    assert (wrong.code, "error[wrong-subject]" in wrong.err or "error[" in wrong.err) == (1, True)
    said = person.add(project, "--cert-identity", subject, "--cert-oidc-issuer", person.sandbox.issuer)
    assert said.code == 0, said.err
    assert pinned(person)["package"][0]["identity"][0]["subject"] == subject


def test_a_hash_pin_of_the_newest_release_vouches_for_no_signer(person: Person) -> None:
    project = person.published("1.0")
    assert (
        person.add(f"{project.record.name}==1.0", "--hash", "--reason", "reviewed", "--yes", to=project).code
        == 0
    )
    wrong = tag_pattern(project).replace(project.path, "somebody/else")
    root = ("--trusted-root", str(person.root))
    with person.untouched():
        said = person.add(project, "--identity", wrong, "--issuer", person.sandbox.issuer, "--yes", *root)
    assert (said.code, "error[identity-mismatch]" in said.err) == (1, True), said.err
    right = person.add(project, "--yes", *root)
    assert right.code == 0, right.err
    assert [sorted(package) for package in pinned(person)["package"]][1][0] == "identity"


def test_spelled_out_issuer_that_is_not_the_signers(person: Person) -> None:
    project = person.published()
    with person.untouched():
        said = person.add(
            project, "--identity", tag_pattern(project), "--issuer", "https://gitlab.example.com"
        )
    assert said.code == 1, said.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), "nothing-to-pin"),
        (("x", "--identity", "y"), "issuer-needed"),
        (("x", "-r", "requirements.txt"), "usage"),
        (("x==1", "--hash"), "reason-missing"),
        (("x",), "source-needed"),
        (("x", "--source", "nowhere"), "source-needed"),
        (
            ("x", "--source", "https://gitlab.example.com/api/v4/projects/1/packages/pypi/simple"),
            "source-needed",
        ),
        (("x", "--source", "https://gitlab.example.com"), "project-needed"),
        (("x", "--source", "https://pypi.org/simple", "--hash", "--reason", "r"), "version-needed"),
        (("x", "--source", "https://pypi.org/simple", "--offline"), "trusted-root-needed"),
        (("x", "--source", "https://me:hunter2@pypi.org/simple"), "invalid-url"),
        (("x", "--source", "me:hunter2@pypi.org/simple"), "invalid-url"),
        (("x", "--source", "https://pypi.org/simple?token=hunter2"), "invalid-url"),
        (("x", "--source", "pypi.org/simple?token=hunter2"), "source-needed"),
        (("x", "--source", "ftp://pypi.org/simple"), "invalid-url"),
        (("a/b", "--source", "https://pypi.org/simple"), ""),
        (("x==bad!", "--source", "https://pypi.org/simple"), ""),
    ],
)  # fmt: skip
def test_what_cannot_be_meant(person: Person, words: tuple[str, ...], code: str) -> None:
    with person.untouched():
        said = typed("trust", "add", *words)
    assert (said.code, f"error[{code}" in said.err) == (2, True), said.err
    assert "hunter2" not in said


def test_release_that_is_not_there(person: Person) -> None:
    project = person.published()
    with person.untouched():
        said = person.add(f"{project.record.name}==9.0", "--yes", "--project", project.path)
    assert (said.code, "error[no-release]" in said.err) == (1, True), said.err


def test_unsigned_release(person: Person) -> None:
    project = person.project()
    person.sandbox.publish(project, [person.sandbox.wheel(project.record.name, "1.0")], forms=())
    with person.untouched():
        said = person.add(project, answers="y\n")
    assert (said.code, "error[no-evidence]" in said.err) == (1, True), said.err
    assert (
        "hint: Ask its publisher to sign it, or review this version and pin it by hash: `pip-warden "
        in said.err
    )


def test_a_root_that_is_not_the_pinned_one_is_said_first(person: Person) -> None:
    """Not that the file has no evidence."""
    assert person.add(person.published(), "--yes").code == 0
    project = person.project()
    person.sandbox.publish(project, [person.sandbox.wheel(project.record.name, "1.0")], forms=())
    (person.home / "trusted_root.json").write_bytes(b"{}")
    with person.untouched():
        said = person.add(project, "--yes")
    assert (said.code, "error[trusted-root-digest]" in said.err) == (3, True), said.err


def test_private_project_without_a_token(person: Person) -> None:
    project = person.published()
    person.use_token(None)
    with person.untouched():
        said = person.add(project, "--yes")
    assert (said.code, "GITLAB_TOKEN" in said.err) == (3, True), said.err


def test_t37_forwarded_page(person: Person) -> None:
    project = person.project()
    person.sandbox.upstream.add(project.record.name, [person.sandbox.wheel(project.record.name, "9.0")])
    with person.untouched():
        said = person.add(project, answers="y\n")
    assert (said.code, "error[foreign-index-page]" in said.err) == (1, True), said.err


def test_root_below_the_trust_file_stays_where_it_is(person: Person) -> None:
    (person.home / "sigstore").mkdir()
    own = person.home / "sigstore" / "root.json"
    own.write_bytes(person.root.read_bytes())
    project = person.published()
    said = typed(
        "trust", "add", project.record.name, "--source", person.sandbox.gitlab_url, "--project", project.path,
        "--trusted-root", str(own), "--yes",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert pinned(person)["sigstore"]["trusted-root"] == "sigstore/root.json"
    assert not (person.home / "trusted_root.json").exists()


def test_other_root_in_the_place_is_left_alone(person: Person) -> None:
    (person.home / "trusted_root.json").write_text("{}")
    project = person.published()
    with person.untouched():
        said = person.add(project, "--yes")
    assert (said.code, "error[pin-conflict]" in said.err) == (2, True)


@pytest.mark.parametrize("what", ["pipe", "dangling"])
def test_what_is_no_file_in_the_place_of_the_root_is_left_alone(person: Person, what: str) -> None:
    place = person.home / "trusted_root.json"
    if what == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to("nowhere")
    project = person.published()
    said = person.add(project, "--yes")
    assert (said.code, "error[pin-conflict]" in said.err) == (2, True), said.err
    assert [path.name for path in person.home.iterdir()] == ["trusted_root.json"]
    assert place.is_fifo() or place.is_symlink()


def test_root_that_is_none(person: Person) -> None:
    person.root.write_text("{}")
    project = person.published()
    with person.untouched():
        said = person.add(project, "--yes")
    assert (said.code, "error[bad-trusted-root]" in said.err) == (3, True), said.err


def test_package_is_not_moved_to_another_project(person: Person) -> None:
    project = person.published()
    assert person.add(project, "--yes").code == 0
    fork = person.published(project=person.sandbox.project(f"evil/{project.record.name}"))
    with person.untouched():
        said = person.add(project, answers="y\n", to=fork)
    assert (said.code, "error[pin-conflict]" in said.err) == (2, True), said.err


def test_trouble_beyond_good_evidence_does_not_matter(person: Person) -> None:
    project = person.published()
    broken = Answer(status=403, body=b"{}")
    person.sandbox.fault(broken, f"{project.record.name}-1.0-py3-none-any.whl.publish", times=None)
    assert person.add(project, "--yes").code == 0


def test_trouble_before_good_evidence_is_undecided(person: Person) -> None:
    project = person.published()
    broken = Answer(status=403, body=b"{}")
    person.sandbox.fault(broken, f"{project.record.name}-1.0-py3-none-any.whl.sigstore", times=None)
    with person.untouched():
        assert person.add(project, "--yes").code == 3


def test_bad_evidence_before_the_good_is_passed_over(person: Person) -> None:
    project = person.published()
    evidence = f"{project.record.name}-1.0-py3-none-any.whl.sigstore.json"
    person.sandbox.replace_evidence(project, evidence, b"{}", newer_row=True)
    said = person.add(project, "--yes")
    assert said.code == 0, said.err


def test_changed_bytes_are_refused_with_their_code(person: Person) -> None:
    project = person.published()
    person.sandbox.tamper(project, f"{project.record.name}-1.0-py3-none-any.whl", flip_bit=99)
    with person.untouched():
        said = person.add(project, answers="y\n")
    assert said.code == 1, said.err
    assert re.match(r"error\[[a-z-]+\]: .* step [345] ", said.err), said.err


def _close_to_what_is_pinned(person: Person) -> tuple[Project, str]:
    """Pin a package, and publish another whose name has one letter more; each is signed as it should be."""
    known = person.published()
    assert person.add(known, "--yes").code == 0
    close = person.sandbox.project(f"evil/{known.record.name}s")
    return person.published(project=close), known.record.name


@pytest.mark.parametrize("words", [(), ("--hash", "--reason", "reviewed")], ids=["identity", "hash"])
def test_yes_pins_no_name_that_is_close_to_a_pinned_one(person: Person, words: tuple[str, ...]) -> None:
    close, known = _close_to_what_is_pinned(person)
    before = person.sandbox.requests
    release = f"{close.record.name}==1.0" if words else close.record.name
    with person.untouched():
        said = person.add(release, *words, "--yes", to=close)
    assert (said.code, "error[close-to-pinned]" in said.err, known in said.err) == (1, True, True), said.err
    assert person.sandbox.requests == before, "nothing is looked up"


def test_a_name_that_is_close_to_a_pinned_one_is_asked_about_first(person: Person) -> None:
    close, known = _close_to_what_is_pinned(person)
    with person.untouched():
        no = person.add(close, answers="n\n")
        one_yes = person.add(close, answers="y\nn\n")
        nobody = person.add(close)
    assert (no.code, one_yes.code, nobody.code) == (1, 1, 2)
    asked = f"Do you mean {close.record.name}, and not {known}?"
    assert (asked in no.err, "signed by" in no.out) == (True, False), no
    assert one_yes.err.index(asked) < one_yes.err.index("Pin this signer?")
    assert person.add(close, answers="y\ny\n").code == 0
    assert person.add(close, "--yes").code == 0, "what is pinned is close to nothing"


def test_names_of_one_command_are_compared_too(person: Person) -> None:
    for name in ("saws-and-more", "saws-and-mor"):
        person.sandbox.upstream.add(name, [person.sandbox.wheel(name, "1.0")])
    words = ("saws-and-more==1.0", "saws-and-mor==1.0", "--source", person.sandbox.pypi_url)
    with person.untouched():
        said = typed("trust", "add", *words, "--hash", "--reason", "reviewed", "--yes")
    assert (said.code, "error[close-to-pinned]" in said.err) == (1, True), said.err
