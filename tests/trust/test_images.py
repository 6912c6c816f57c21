"""Images in a trust file: what is valid, what a change means, and how the text is edited."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.digests import Digest
from pip_warden.errors import TrustFileError, UsageError
from pip_warden.oci.names import Repository, parse_repository
from pip_warden.trust.command_line import command_line_trust
from pip_warden.trust.comparing.change import Effect
from pip_warden.trust.comparing.changes import changes
from pip_warden.trust.comparing.covering import are_disjoint
from pip_warden.trust.demands import Demands, demand
from pip_warden.trust.editing.changed import checked_as
from pip_warden.trust.editing.edit import add_root, new_file_text
from pip_warden.trust.editing.images import add_image, add_image_identity, remove_image
from pip_warden.trust.editing.removal import remove_root
from pip_warden.trust.file import parse
from pip_warden.trust.model import Identity, ImageEntry, Requirements, RootPin, TrustFile
from pip_warden.trust.placeholders import parse_image_subject, parse_package_subject
from pip_warden.trust.subject import parse_ref, parse_subject

PATH = Path("/project/pytrust.toml")
WIDE, NARROW, SAME = Effect.WIDENED, Effect.NARROWED, Effect.NEUTRAL
GITLAB = "https://gitlab.example.com"
APP = "registry.example.com/acme/app"
ROOT = RootPin(name="default", path=PATH.parent / "root.json", sha256=Digest("a" * 64), issuers=(GITLAB,))
BASE = f"""version = 1
[sigstore]
trusted-root = "root.json"
trusted-root-sha256 = "{"a" * 64}"
issuers = ["{GITLAB}", "https://accounts.example.com"]
"""
IMAGE = f"""
[[image]]
repository = "{APP}"
realm = "{GITLAB}/jwt/auth"
  [[image.identity]]
  issuer = "{GITLAB}"
  subject = "{GITLAB}/acme/app//.gitlab-ci.yml@refs/tags/v{{tag}}"
  project-id = 4711
  [image.require]
  runner-environment = "gitlab-hosted"
  source-ref = "refs/tags/v{{tag}}"
  provenance = "https://slsa.dev/provenance/v1"
  annotations = {{ tag = "{{tag}}", "a b" = "x" }}
"""
SECOND = f"""
  [[image.identity]]
  issuer = "{GITLAB}"
  subject = "{GITLAB}/legacy/app//.gitlab-ci.yml@refs/heads/main"
"""
PACKAGE = f"""
[source.acme]
type = "gitlab"
url = "{GITLAB}"
[[package]]
name = "acme"
source = "acme"
project = "acme/acme"
  [[package.identity]]
  issuer = "{GITLAB}"
  subject = "{GITLAB}/acme/acme//.gitlab-ci.yml@refs/tags/v{{version}}"
  [package.require]
  source-ref = "refs/tags/v{{version}}"
  annotations = {{ tag = "{{version}}" }}
"""
WHOLE = BASE + IMAGE + PACKAGE
SIGNER = Identity(issuer=GITLAB, subject=parse_subject(f"{GITLAB}/acme/app//ci.yml@refs/tags/{{tag}}"))
ENTRY = ImageEntry(repository=parse_repository(APP), identities=(SIGNER,))


def faults(text: str) -> dict[str, str]:
    with pytest.raises(TrustFileError) as caught:
        parse(text, PATH)
    assert caught.value.code == "trust-file-invalid"
    return dict(caught.value.faults)


def test_a_file_of_images_alone_is_valid() -> None:
    trust = parse(BASE + IMAGE, PATH)

    (image,) = trust.images
    assert trust.entries == ()
    assert image.repository == Repository(registry="registry.example.com", path="acme/app")
    assert image.realm == f"{GITLAB}/jwt/auth"
    assert image.identities[0].project_id == "4711"
    assert image.identities[0].subject.text.endswith("/v{tag}")
    assert image.require == Requirements(
        runner_environment="gitlab-hosted",
        source_ref=parse_ref("refs/tags/v{tag}"),
        provenance="https://slsa.dev/provenance/v1",
        annotations=(("a b", "x"), ("tag", "{tag}")),
    )
    assert trust.image_entry(image.repository) is image
    assert trust.image_entry(parse_repository(f"{APP}/other")) is None
    assert trust.image_entry(parse_repository("registry.example.com:444/acme/app")) is None
    assert trust.realms == {"registry.example.com": frozenset({f"{GITLAB}/jwt/auth"})}


def test_each_registry_has_the_realms_of_its_images_alone() -> None:
    more = IMAGE.replace("acme/app", "acme/other").replace("/jwt/auth", "/other/auth")
    silent = IMAGE.replace(APP, "localhost:5000/app").replace(f'realm = "{GITLAB}/jwt/auth"\n', "")

    assert parse(BASE + IMAGE + more + silent, PATH).realms == {
        "registry.example.com": frozenset({f"{GITLAB}/jwt/auth", f"{GITLAB}/other/auth"})
    }


SUBJECT = "image[0].identity[0].subject"
WRONG = [
    (f'repository = "{APP}"\n', "", "image[0].repository"),
    (APP, "acme/app", "image[0].repository"),
    (APP, f"{APP}:1.0", "image[0].repository"),
    (APP, f"{APP}@sha256:{'a' * 64}", "image[0].repository"),
    (APP, "https://registry.example.com/acme/app", "image[0].repository"),
    (f'"{APP}"', "1", "image[0].repository"),
    (f'realm = "{GITLAB}', 'realm = "http://gitlab.example.com', "image[0].realm"),
    (f'realm = "{GITLAB}', 'realm = "https://me:secret@gitlab.example.com', "image[0].realm"),
    ("/jwt/auth", "/jwt/auth?service=x", "image[0].realm"),
    (f'realm = "{GITLAB}', 'realm = "http://localhost:8080', "image[0]"),
    ("[[image]]\n", '[[image]]\nname = "app"\n', "image[0].name"),
    ("[[image]]\n", '[[image]]\nversion = "1"\n', "image[0].version"),
    ("[[image]]\n", "[[image]]\nidentity = []\n", "image[0].identity"),
    ("  project-id = 4711\n", "  account = true\n", "image[0].identity[0]"),
    ("  project-id = 4711\n", '  sigstore = "other"\n', "image[0].identity[0].sigstore"),
    ("  project-id = 4711\n", "  number = 4711\n", "image[0].identity[0].number"),
    ("  runner-environment", "  runner", "image[0].require.runner"),
    (f'issuer = "{GITLAB}"', 'issuer = "https://gitlab.com"', "image[0].identity[0].issuer"),
    ("ci.yml@refs/tags/v{tag}", "ci.yml@refs/tags/v{version}", SUBJECT),
    ("ci.yml@refs/tags/v{tag}", "ci.yml@refs/tags/{tag}/{tag}", SUBJECT),
    ("ci.yml@refs/tags/v{tag}", "ci.yml@refs/tags/{tag}-{version}", SUBJECT),
    ("acme/app//", "acme/{tag}//", SUBJECT),
    ('source-ref = "refs/tags/v{tag}"', 'source-ref = "refs/tags/{version}"', "image[0].require.source-ref"),
    ('tag = "{tag}"', 'tag = "v{version}"', "image[0].require.annotations.tag"),
    ('"a b" = "x"', '"a b" = "{version}"', 'image[0].require.annotations."a b"'),
]


@pytest.mark.parametrize(("old", "new", "path"), WRONG)
def test_one_fault_is_one_path(old: str, new: str, path: str) -> None:
    text = BASE + IMAGE
    assert old in text
    at = text.index(IMAGE)
    changed = text[:at] + text[at:].replace(old, new, 1)
    if new.endswith("identity = []\n"):
        changed = changed.replace(
            changed[changed.index("  [[image.identity") : changed.index("  [image")], ""
        )

    found = faults(changed)

    assert list(found) == [path]
    assert "secret" not in found[path]


def test_the_realm_of_a_registry_on_this_machine_may_be_asked_by_http() -> None:
    text = BASE + IMAGE.replace(APP, "127.0.0.1:5000/app").replace(
        f'realm = "{GITLAB}', 'realm = "http://localhost:80'
    )
    assert parse(text, PATH).realms == {"127.0.0.1:5000": frozenset({"http://localhost:80/jwt/auth"})}


def test_each_kind_of_release_has_its_own_placeholder_and_the_fault_names_it() -> None:
    of_image = faults(WHOLE.replace("{tag}", "{version}", 1))
    of_package = faults(WHOLE.replace("tags/v{version}", "tags/v{tag}"))

    assert of_image == {
        SUBJECT: "expected {tag} in the pattern of an image, found {version}, which is of a package"
    }
    assert set(of_package) == {"package[0].identity[0].subject", "package[0].require.source-ref"}
    assert set(of_package.values()) == {
        "expected {version} in the pattern of a package, found {tag}, which is of an image"
    }


def test_in_an_annotation_of_a_package_a_tag_is_the_text_it_always_was() -> None:
    entry = parse(WHOLE.replace('tag = "{version}"', 'tag = "{tag}"'), PATH).entries[0]

    assert entry.require.annotations == (("tag", "{tag}"),)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("read", "placeholder"), [(parse_package_subject, "{tag}"), (parse_image_subject, "{version}")]
)
def test_a_subject_that_is_typed_has_the_placeholder_of_its_kind(read: object, placeholder: str) -> None:
    assert callable(read)
    subject = f"{GITLAB}/acme/app//ci.yml@refs/tags/{placeholder}"
    with pytest.raises(UsageError) as caught:
        read(subject)
    assert caught.value.code == "invalid-subject"
    assert read(f"{GITLAB}/acme/app//ci.yml@refs/heads/main").ref.text == "refs/heads/main"


def test_an_identity_of_the_command_line_is_of_packages(tmp_path: Path) -> None:
    (tmp_path / "root.json").write_text("{}")
    with pytest.raises(UsageError) as caught:
        command_line_trust(
            (tmp_path / "acme-1.0.tar.gz",),
            subject=f"{GITLAB}/acme/app//ci.yml@refs/tags/{{tag}}",
            issuer=GITLAB,
            root=tmp_path / "root.json",
        )
    assert caught.value.code == "invalid-subject"


def test_a_repository_is_pinned_once_however_it_is_spelled() -> None:
    for other in (APP, "Registry.Example.com/acme/app", "registry.example.com:443/acme/app"):
        found = faults(BASE + IMAGE + IMAGE.replace(APP, other))
        assert found == {"image[1].repository": f"expected one entry of {APP}, found another at image[0]"}


@pytest.mark.parametrize("text", ["image = 3", "[image]", "image = [3]"])
def test_tables_of_another_kind_are_faults(text: str) -> None:
    assert len(faults("version = 1\n" + text)) == 1


@given(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.lists(st.text())
    | st.binary()
    | st.from_regex(r"[A-Za-z0-9.:\[\]-]{1,12}/[A-Za-z0-9._/:@-]{0,12}", fullmatch=True)
)
def test_anything_in_the_place_of_a_repository_is_a_fault_or_a_repository(value: object) -> None:
    from pip_warden.trust.validate import Reading

    table = {
        "repository": value,
        "identity": [{"issuer": GITLAB, "subject": "me@example.com", "account": True}],
    }
    reading = Reading({"version": 1, "image": [table]}, PATH)
    trust = reading.read()

    assert reading.faults
    for image in trust.images:
        assert isinstance(value, str)
        assert str(image.repository) in {value, value.lower()}


def told(old: str, new: str) -> list[tuple[str, str, Effect]]:
    found = changes(parse(old, PATH), parse(new, PATH))
    assert all(change.words for change in found)
    return [(change.kind, change.subject, change.effect) for change in found]


CASES = {
    "ref": ("/v{tag}", "/*", "signer-changed", WIDE, NARROW),
    "project": ("acme/app//", "evil/app//", "signer-changed", WIDE, WIDE),
    "number": ("  project-id = 4711\n", "", "signer-changed", WIDE, NARROW),
    "runner": ('  runner-environment = "gitlab-hosted"\n', "", "requirement", WIDE, NARROW),
    "provenance": ('  provenance = "https://slsa.dev/provenance/v1"\n', "", "requirement", WIDE, NARROW),
    "annotation": ('tag = "{tag}", ', "", "requirement", WIDE, NARROW),
    "required ref": ('"refs/tags/v{tag}"', '"refs/tags/*"', "requirement", WIDE, NARROW),
    "realm": ("/jwt/auth", "/other", "image-realm", WIDE, WIDE),
    "no realm": (f'realm = "{GITLAB}/jwt/auth"\n', "", "image-realm", NARROW, WIDE),
    "signer": ("  [image.require]", SECOND + "  [image.require]", "signer-added", WIDE, NARROW),
}


@pytest.mark.parametrize("name", CASES)
def test_one_change_and_its_reverse(name: str) -> None:
    old, new, kind, there, back = CASES[name]
    assert old in IMAGE
    changed = BASE + IMAGE.replace(old, new, 1)

    assert told(BASE + IMAGE, changed) == [(kind, APP, there)]
    assert told(changed, BASE + IMAGE) == [(kind.replace("added", "removed"), APP, back)]


def test_images_added_and_removed_and_moved_in_the_file() -> None:
    other = IMAGE.replace("acme/app", "acme/other")

    assert told(BASE, BASE + IMAGE) == [("pin-added", APP, WIDE)]
    assert told(BASE + IMAGE, BASE) == [("pin-removed", APP, NARROW)]
    assert told(BASE + IMAGE + other, BASE + other + IMAGE) == []
    (added,) = changes(parse(BASE, PATH), parse(BASE + IMAGE, PATH))
    assert added.words.endswith(f"; credentials may be sent to {GITLAB}/jwt/auth")


def test_two_signers_of_any_tag_may_be_the_same() -> None:
    one, other = (
        replace(SIGNER, subject=parse_subject(f"{GITLAB}/acme/app//ci.yml@refs/tags/{ref}"))
        for ref in ("v{tag}", "v1")
    )
    assert not are_disjoint(one, other)


def test_what_is_demanded_is_demanded_of_images_too() -> None:
    trust = parse(BASE + IMAGE, PATH)
    demanded = demand(
        trust,
        Demands(source_repository=f"{GITLAB}/acme/app", source_revision="a" * 40, annotations=(("k", "v"),)),
    )

    (image,) = demanded.images
    assert image == replace(
        trust.images[0],
        require=replace(
            trust.images[0].require,
            demanded_repository=f"{GITLAB}/acme/app",
            source_revision="a" * 40,
            annotations=(*trust.images[0].require.annotations, ("k", "v")),
        ),
    )


def base() -> str:
    return add_root(new_file_text(), ROOT, PATH)


def test_what_is_added_is_what_is_read_and_is_taken_out_without_a_trace() -> None:
    (full,) = parse(BASE + IMAGE, PATH).images
    first = add_image(base(), full, PATH)
    both = add_image(first, replace(ENTRY, repository=parse_repository(f"{APP}/other")), PATH)

    assert parse(first, PATH).images == (full,)
    assert add_image(first, full, PATH) == first
    assert remove_image(both, parse_repository(f"{APP}/other"), PATH) == first
    assert remove_image(first, full.repository, PATH) == base()
    assert tomllib.loads(first)["image"][0]["require"]["annotations"] == {"tag": "{tag}", "a b": "x"}


def test_the_layout_is_a_readers() -> None:
    added = add_image(base(), replace(ENTRY, realm=f"{GITLAB}/jwt/auth"), PATH)

    assert added.removeprefix(base()) == (
        "\n[[image]]\n"
        f'repository = "{APP}"\n'
        f'realm = "{GITLAB}/jwt/auth"\n'
        "\n"
        "  [[image.identity]]\n"
        f'  issuer = "{GITLAB}"\n'
        f'  subject = "{GITLAB}/acme/app//ci.yml@refs/tags/{{tag}}"\n'
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_signer_joins_and_every_other_line_stays(end: str) -> None:
    text = (BASE + "\n# of app" + IMAGE + "\n# of acme\n" + PACKAGE).replace("\n", end)
    identity = f'{{ issuer = "{GITLAB}", subject = "me@example.com", account = true }}'
    inline = f'[[image]]\nrepository = "{APP}"\nidentity = [{identity}]\n'

    wider = add_image_identity(text, ENTRY.repository, SIGNER, PATH)
    joined = add_image_identity((base() + inline).replace("\n", end), ENTRY.repository, SIGNER, PATH)

    assert [line for line in text.split(end) if line not in wider.split(end)] == []
    assert parse(wider, PATH).images[0].identities[1] == SIGNER
    assert parse(wider, PATH).entries == parse(text, PATH).entries
    assert add_image_identity(wider, ENTRY.repository, SIGNER, PATH) == wider
    assert parse(joined, PATH).images[0].identities[1] == SIGNER
    assert remove_image(text, ENTRY.repository, PATH) == (BASE + "\n# of acme\n" + PACKAGE).replace("\n", end)


def test_a_pin_is_never_replaced_and_what_is_absent_cannot_be_changed() -> None:
    text, other = add_image(base(), ENTRY, PATH), parse_repository(f"{APP}/other")
    with pytest.raises(UsageError) as conflict:
        add_image(text, replace(ENTRY, realm=GITLAB), PATH)
    assert conflict.value.code == "pin-conflict"
    edits = partial(add_image_identity, text, other, SIGNER, PATH), partial(remove_image, text, other, PATH)
    for edit in edits:
        with pytest.raises(UsageError) as absent:
            edit()
        assert absent.value.code == "not-in-trust-file"
        assert absent.value.hint == "`pip-warden trust list` shows what is pinned."


def test_images_in_one_line_are_not_edited() -> None:
    identity = f'{{ issuer = "{GITLAB}", subject = "me@example.com", account = true }}'
    text = f'image = [{{ repository = "{APP}", identity = [{identity}] }}]\n' + base()
    assert len(parse(text, PATH).images) == 1
    for edit in (
        partial(add_image_identity, text, ENTRY.repository, SIGNER, PATH),
        partial(remove_image, text, ENTRY.repository, PATH),
    ):
        with pytest.raises(UsageError) as caught:
            edit()
        assert caught.value.code == "trust-file-uneditable"


def test_an_edit_that_loses_an_image_is_not_made() -> None:
    text = add_image(base(), ENTRY, PATH)
    with pytest.raises(UsageError) as caught:
        checked_as(base(), parse(text, PATH))
    assert caught.value.code == "trust-file-uneditable"


def test_the_example_of_the_documentation_is_valid() -> None:
    page = Path(__file__).parents[2] / "docs" / "images.md"
    example = page.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    assert len(parse(example, PATH).images) == 1


def test_the_root_that_an_image_needs_is_still_used() -> None:
    with pytest.raises(UsageError) as caught:
        remove_root(add_image(base(), ENTRY, PATH), "default", PATH)
    assert caught.value.code == "still-used"


@given(
    st.lists(st.sampled_from(("app", "b/c", "x-y", "d.e")), unique=True, min_size=1, max_size=3),
    st.booleans(),
    st.data(),
)
def test_editing_then_reading_gives_back_what_was_added(
    names: list[str], is_account: bool, data: st.DataObject
) -> None:
    subject = parse_subject("me@example.com" if is_account else f"{GITLAB}/a/b//c.yml@refs/tags/{{tag}}")
    text, expected = base(), []
    for name in names:
        identity = replace(SIGNER, subject=subject, is_account=is_account)
        annotations = data.draw(st.dictionaries(st.sampled_from(("k", "a.b", "c d")), st.just("{tag}")))
        entry = ImageEntry(
            repository=parse_repository(f"registry.example.com/{name}"),
            identities=(identity,),
            require=Requirements(annotations=tuple(sorted(annotations.items()))),
            realm=data.draw(st.sampled_from((None, GITLAB, f"{GITLAB}/jwt/auth"))),
        )
        text = add_image(text, entry, PATH)
        expected.append(entry)
    read = parse(text, PATH)
    assert read == replace(TrustFile(path=PATH, roots=(ROOT,)), images=tuple(expected))
    gone = data.draw(st.sampled_from(expected))
    left = parse(remove_image(text, gone.repository, PATH), PATH)
    assert left.images == tuple(each for each in expected if each != gone)
