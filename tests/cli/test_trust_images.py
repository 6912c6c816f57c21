"""Images in the trust file, as the commands pin, show, compare and remove them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import Person, Said, typed

GITLAB = "https://gitlab.example.com"
APP = "registry.example.com/acme/app"
SUBJECT = f"{GITLAB}/acme/app//.gitlab-ci.yml@refs/tags/v{{tag}}"
SIGNER = ("--identity", SUBJECT, "--issuer", GITLAB)
FILE = f"""version = 1

[sigstore]
trusted-root = "trusted_root.json"
trusted-root-sha256 = "{"ab" * 32}"
issuers = ["{GITLAB}"]

# ours
[[image]]
repository = "{APP}"
realm = "{GITLAB}/jwt/auth"
  [[image.identity]]
  issuer = "{GITLAB}"
  subject = "{SUBJECT}"
  project-id = 4711
  not-before = 2026-01-01
  not-after = 2026-12-31
  [image.require]
  build-trigger = ["push", "schedule"]
  annotations = {{ tag = "{{tag}}" }}
"""
REVOKED = f"""
[[revoked]]
sha256 = "{"cd" * 32}"
reason = "built on a machine that was broken into"
"""


@pytest.fixture
def file(alone: Path) -> Path:
    path = alone / "pytrust.toml"
    path.write_text(FILE)
    return path


def add(person: Person, *words: str, answers: str | None = None) -> Said:
    root = () if person.file.exists() else ("--trusted-root", str(person.root))
    return typed("trust", "add", "--image", APP, *root, *words, answers=answers)


def pinned(person: Person) -> Any:
    return tomllib.loads(person.file.read_text())


def test_the_first_image_makes_the_file_and_pins_the_root(person: Person) -> None:
    more = ("--project-id", "4711", "--realm", f"{GITLAB}/jwt/auth", "--build-trigger", "schedule")
    said = add(
        person, *SIGNER, *more, "--require-provenance", "--require-annotation", "tag={tag}", answers="y\n"
    )

    assert said.code == 0, said.err
    assert "Pin this signer?" in said.err
    assert said.out == (
        f"{APP}\n"
        f"  pinned as      {SUBJECT}\n"
        f"  issuer         {GITLAB}\n"
        "  project id     4711\n"
        "  build-trigger  schedule\n"
        "  provenance     https://slsa.dev/provenance/v1\n"
        "  annotations    tag={tag}\n"
        f"  realm          {GITLAB}/jwt/auth\n"
        "  {tag} is each image's own tag: each must be signed by the pipeline of its tag.\n"
        "  Protect that tag pattern in GitLab: no certificate shows whether it is.\n"
        f"made {person.file}; commit it, and review its changes\n"
    )
    file = pinned(person)
    assert file["image"] == [
        {
            "repository": APP,
            "realm": f"{GITLAB}/jwt/auth",
            "identity": [{"issuer": GITLAB, "subject": SUBJECT, "project-id": 4711}],
            "require": {
                "build-trigger": ["schedule"],
                "provenance": "https://slsa.dev/provenance/v1",
                "annotations": {"tag": "{tag}"},
            },
        }
    ]
    assert file["sigstore"]["issuers"] == [GITLAB]
    assert (person.home / "trusted_root.json").read_bytes() == person.root.read_bytes()
    assert typed("trust", "check").code == 0


def test_nothing_is_pinned_unasked(person: Person) -> None:
    with person.untouched():
        declined = add(person, *SIGNER, answers="n\n")
        unasked = add(person, *SIGNER)
    assert (declined.code, "error[declined]" in declined.err) == (1, True)
    assert (unasked.code, "error[yes-needed]" in unasked.err) == (2, True)
    assert add(person, *SIGNER, "--yes").code == 0


def test_what_is_pinned_already_changes_nothing_and_is_not_asked_about(person: Person) -> None:
    first = add(person, *SIGNER, "--yes")
    assert (first.code, "to vouch" in first.err) == (0, False)
    with person.untouched():
        said = add(person, *SIGNER)
    assert (said.code, "says so already" in said.out) == (0, True)


def test_another_signer_joins_after_a_warning_and_what_is_required_stays(person: Person) -> None:
    assert add(person, *SIGNER, "--build-trigger", "schedule", "--yes").code == 0
    other = ("--identity", "me@example.com", "--issuer", "https://accounts.example.com")
    said = add(person, *other, answers="y\n")

    assert said.code == 0, said.err
    assert f"the trust file pins another signer already: {SUBJECT}" in said.err
    assert "trusted_root.json is to vouch for https://accounts.example.com from now on" in said.err
    (image,) = pinned(person)["image"]
    assert [each["subject"] for each in image["identity"]] == [SUBJECT, "me@example.com"]
    assert image["identity"][1]["account"] is True
    assert image["require"] == {"build-trigger": ["schedule"]}
    assert pinned(person)["sigstore"]["issuers"] == [GITLAB, "https://accounts.example.com"]


@pytest.mark.parametrize(
    "words",
    [
        ("--realm", f"{GITLAB}/other"),
        ("--build-trigger", "push"),
        ("--require-provenance",),
        ("--require-annotation", "a=b"),
    ],
)
def test_what_holds_for_every_signer_is_not_changed_by_adding_one(
    person: Person, words: tuple[str, ...]
) -> None:
    pin = (*SIGNER, "--build-trigger", "schedule", "--realm", f"{GITLAB}/jwt/auth", "--yes")
    assert add(person, *pin).code == 0
    with person.untouched():
        said = add(
            person, "--identity", SUBJECT.replace("v{tag}", "{tag}"), "--issuer", GITLAB, "--yes", *words
        )
    assert (said.code, "error[pin-conflict]" in said.err) == (2, True), said.err


@pytest.mark.parametrize(
    ("first", "again", "told"),
    [
        (("--project-id", "4711"), (), "(project-id 4711), found none"),
        ((), ("--project-id", "4711"), "(none), found project-id 4711"),
    ],
)
def test_a_signer_is_not_pinned_again_on_other_terms(
    person: Person, first: tuple[str, ...], again: tuple[str, ...], told: str
) -> None:
    """One of them is enough, so a second pin would undo the first one's project id, or be undone by it."""
    assert add(person, *SIGNER, *first, "--yes").code == 0
    with person.untouched():
        said = add(person, *SIGNER, *again, "--yes")

    assert (said.code, "error[pin-conflict]" in said.err) == (2, True), said.err
    assert told in " ".join(said.err.split())
    assert "[[image.identity]]" in said.err


REFUSED = {
    "no issuer": (("--identity", SUBJECT), "issuer-needed", "together, found one of them"),
    "no subject": (("--issuer", GITLAB), "issuer-needed", "together, found one of them"),
    "a trigger of nobody": (("--build-trigger", "schedule"), "usage", "together with --identity"),
    "of a package": (
        ("--identity", SUBJECT.replace("{tag}", "{version}"), "--issuer", GITLAB, "--yes"),
        "invalid-subject",
        "Write the same subject with {tag} in its place",
    ),
    "name": (("acme", *SIGNER), "usage", "without NAME"),
    "source": ((*SIGNER, "--source", "acme"), "usage", "without --source"),
    "hash": ((*SIGNER, "--hash"), "usage", "without --hash"),
    "expires": ((*SIGNER, "--expires", "2027-01-01"), "usage", "without --expires"),
    "history": ((*SIGNER, "--from-history", "3"), "usage", "without --from-history"),
    "mirror": ((*SIGNER, "--mirror", "pypi=https://m.example/simple"), "usage", "without --mirror"),
    "realm": ((*SIGNER, "--realm", "http://gitlab.example.com/jwt/auth"), "invalid-url", "http is for"),
    "issuer": (("--identity", SUBJECT, "--issuer", "gitlab.example.com"), "invalid-url", "https://"),
    "annotation": ((*SIGNER, "--require-annotation", "tag"), "bad-annotation", "KEY=VALUE"),
    "version": (
        (*SIGNER, "--require-annotation", "tag={version}", "--yes"),
        "trust-file-invalid",
        "expected {tag}",
    ),
    "trigger": ((*SIGNER, "--build-trigger", "pull_request_target"), "build-trigger-unsafe", ""),
    "trigger of an account": (
        ("--identity", "me@example.com", "--issuer", GITLAB, "--build-trigger", "schedule"),
        "usage",
        "names no project",
    ),
    "id of an account": (
        ("--identity", "me@example.com", "--issuer", GITLAB, "--project-id", "5", "--yes"),
        "trust-file-invalid",
        "account = true only",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_incomplete_or_contradicts_itself_is_an_error(person: Person, name: str) -> None:
    words, code, message = REFUSED[name]
    with person.untouched():
        said = add(person, *words)
    assert f"[{code}]" in said.err, said.err
    assert said.code == (1 if code == "build-trigger-unsafe" else 2)
    assert message in " ".join(said.err.split())


@pytest.mark.parametrize(
    "words",
    [
        ("--project-id", "5"),
        ("--realm", GITLAB),
        ("--require-provenance",),
        ("--require-annotation", "a=b"),
    ],
)
def test_options_of_images_need_an_image(alone: Path, words: tuple[str, ...]) -> None:
    said = typed("trust", "add", "acme", "--source", GITLAB, *words)
    assert (said.code, "error[usage]" in said.err, "--image" in said.err) == (2, True, True)
    assert list(alone.iterdir()) == []


@pytest.mark.parametrize("words", [("add", "--source", GITLAB), ("remove", "--yes")])
def test_a_repository_without_its_option_is_told_of_it(file: Path, words: tuple[str, ...]) -> None:
    said = typed("trust", *words, APP)
    assert (said.code, "error[usage]" in said.err) == (2, True), said.err
    assert "A repository of images is named with --image." in said.err
    assert file.read_text() == FILE


def test_a_root_that_cannot_be_used_is_not_pinned(alone: Path) -> None:
    (alone.parent / "root.json").write_text("{}")
    said = typed(
        "trust", "add", "--image", APP, *SIGNER, "--yes", "--trusted-root", str(alone.parent / "root.json")
    )
    assert (said.code, "error[bad-trusted-root]" in said.err) == (3, True), said.err
    assert list(alone.iterdir()) == []


def test_offline_no_root_is_fetched(alone: Path) -> None:
    said = typed("trust", "add", "--image", APP, *SIGNER, "--yes", "--offline")
    assert (said.code, "error[trusted-root-needed]" in said.err) == (2, True), said.err
    assert list(alone.iterdir()) == []


def test_added_and_removed_images_are_data(person: Person) -> None:
    added = add(person, *SIGNER, "--yes", "--format", "json").json
    again = add(person, *SIGNER, "--yes", "--format", "json").json
    other = ("--identity", "me@example.com", "--issuer", GITLAB, "--yes", "--format", "json")
    joined = add(person, *other).json
    removed = typed("trust", "remove", "--image", APP, "--yes", "--format", "json").json

    (image,) = added["added_images"]
    assert (image["repository"], image["kind"], image["realm"]) == (APP, "identity", None)
    assert [each["subject"] for each in image["identities"]] == [SUBJECT]
    assert (again["is_written"], again["added_images"]) == (False, [])
    assert [each["subject"] for each in joined["added_images"][0]["identities"]] == ["me@example.com"]
    assert [each["subject"] for each in removed["removed_images"][0]["identities"]] == [
        SUBJECT,
        "me@example.com",
    ]
    assert [document["added"] for document in (added, joined, removed)] == [[], [], []]


def test_remove_tells_asks_and_keeps_the_rest(file: Path) -> None:
    said = typed("trust", "remove", "--image", APP, answers="y\n")

    assert said.code == 0, said.err
    assert said.out.startswith(f"{APP}  by identity\n  signer  {SUBJECT}\n")
    assert file.read_text() == FILE[: FILE.index("\n# ours")]


def test_remove_of_what_is_absent_or_of_nothing(file: Path) -> None:
    absent = typed("trust", "remove", "--image", f"{APP}/other", "--yes")
    nothing = typed("trust", "remove", "--yes")
    wrong = typed("trust", "remove", "--image", f"{APP}:1.0", "--yes")

    assert (absent.code, "error[not-in-trust-file]" in absent.err) == (2, True)
    assert "trust add" not in absent.err
    assert (nothing.code, "error[usage]" in nothing.err) == (2, True)
    assert (wrong.code, "error[invalid-image]" in wrong.err) == (2, True)
    assert file.read_text() == FILE


def test_prune_leaves_images_alone(file: Path) -> None:
    (file.parent / "requirements.txt").write_text("acme==1.0\n")
    said = typed("trust", "prune", "-r", "requirements.txt", "--hash-only", "--yes")

    assert (said.code, "nothing to prune" in said.out) == (0, True), said.err
    assert file.read_text() == FILE


def test_show(file: Path) -> None:
    text = (
        f"\n{APP}  by identity\n"
        f"  realm   {GITLAB}/jwt/auth\n"
        f"  signer  {SUBJECT}\n"
        f"          issued by {GITLAB}\n"
        "          project id 4711\n"
        "          signed from 2026-01-01 to 2026-12-31\n"
        "  require build-trigger push, schedule\n"
        "  require annotations tag={tag}\n"
    )
    head = f"{file}: 0 pinned by identity, 0 by hash, 1 image, 0 sources, 1 trusted root, 0 revocations\n"

    assert typed("trust", "show").out == head + text
    assert typed("trust", "show", APP).out == head + text
    document = typed("trust", "show", APP, "--format", "json").json
    assert document["packages"] == []
    (image,) = document["images"]
    assert (image["repository"], image["realm"]) == (APP, f"{GITLAB}/jwt/auth")
    assert image["require"] == {"build_trigger": "push, schedule", "annotations": "tag={tag}"}


@pytest.mark.parametrize("command", ["show", "explain"])
def test_an_image_that_is_not_pinned(file: Path, command: str) -> None:
    assert file.exists()
    absent = typed("trust", command, f"{APP}/other")
    assert (absent.code, "error[not-in-trust-file]" in absent.err) == (2, True)
    assert f"trust add --image {APP}/other" in absent.err
    assert "error[invalid-image]" in typed("trust", command, f"{APP}:1.0").err


def test_list(file: Path) -> None:
    assert file.exists()
    said = typed("trust", "list")
    (image,) = typed("trust", "list", "--format", "json").json["images"]

    assert [line.split() for line in said.out.splitlines()][1] == [
        APP, "identity", SUBJECT, "push,", "schedule", "2026-01-01", "2026-12-31",
    ]  # fmt: skip
    assert image == {
        "repository": APP,
        "kind": "identity",
        "subjects": [SUBJECT],
        "build_trigger": ["push", "schedule"],
        "not_before": "2026-01-01",
        "not_after": "2026-12-31",
    }


def test_explain(file: Path) -> None:
    file.write_text(FILE + REVOKED)
    said = typed("trust", "explain", APP, "--format", "json").json

    assert said["image"] == APP
    sections = {key: "\n".join(lines) for key, lines in said["sections"].items()}
    assert list(sections) == ["publisher", "place", "requirements", "revoked"]
    assert "run for the tag v{tag}, {tag} being the image's own tag. Only what was" in sections["publisher"]
    assert "made for exactly its digest" in sections["publisher"]
    assert f"Credentials for registry.example.com may be sent to {GITLAB}/jwt/auth" in sections["place"]
    assert "started by push or schedule" in sections["requirements"]
    assert "annotation tag = {tag}" in sections["requirements"]
    assert sections["revoked"].startswith("1 by digest alone")
    assert typed("trust", "explain", APP).out.startswith(f"{APP}  by ")


def test_explain_names_every_realm_of_the_registry(file: Path) -> None:
    """What another image of it pins holds for this one's credentials, too."""
    other = FILE[FILE.index("# ours") :].replace(APP, f"{APP}/other").replace("/jwt/auth", "/other/auth")
    file.write_text(FILE.replace(f'realm = "{GITLAB}/jwt/auth"\n', "") + other)
    said = typed("trust", "explain", APP, "--format", "json").json

    assert (
        f"Credentials for registry.example.com may be sent to {GITLAB}/other/auth, too."
        in (said["sections"]["place"])
    )


def test_diff(file: Path) -> None:
    (file.parent / "before.toml").write_text(FILE.replace("v{tag}", "{tag}"))
    wider = typed("trust", "diff", "--from", "before.toml")
    (file.parent / "before.toml").write_text(FILE[: FILE.index("\n# ours")])
    added = typed("trust", "diff", "--from", "before.toml", "--format", "json").json

    assert (wider.code, f"widened   {APP}: signer" in wider.out) == (1, True)
    (change,) = [each for each in added["changes"] if each["subject"] == APP]
    assert (change["kind"], change["effect"]) == ("pin-added", "widened")


def test_check_names_every_fault_of_an_image(file: Path) -> None:
    file.write_text(FILE.replace("/jwt/auth", "/jwt/auth?x").replace("4711", "0"))
    said = typed("trust", "check")

    assert (said.code, "error[trust-file-invalid]" in said.err) == (2, True)
    assert "\n  image[0].realm: expected an https URL" in said.err
    assert "\n  image[0].identity[0].project-id: expected a positive number" in said.err
