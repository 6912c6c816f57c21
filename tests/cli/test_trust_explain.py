"""``trust explain``: a package's pins in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.terminal import typed

EXAMPLE = Path(__file__).parents[2] / "docs" / "trust-file.md"


@pytest.fixture(autouse=True)
def _documented(alone: Path) -> None:
    """Use the complete example of the documentation."""
    text = EXAMPLE.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    (alone / "pytrust.toml").write_text(text)


def _sections(name: str) -> dict[str, str]:
    said = typed("trust", "explain", name, "--format", "json")
    assert said.code == 0
    return {key: "\n".join(lines) for key, lines in said.json["sections"].items()}


def test_a_package_pinned_by_identity() -> None:
    said = _sections("Acme_Widgets")
    assert list(said) == ["publisher", "place", "requirements", "revoked"]
    first, second, _ = said["publisher"].splitlines()
    assert first.startswith(
        "The pipeline .gitlab-ci.yml of project acme/widgets (number 815) on gitlab.example.com, run for the "
        "tag v{version}, {version} being the release's own version. Proof: "
    )
    assert "branch main. Only what was signed from 2024-01-01 to 2026-06-30 (UTC)" in second
    assert "https://gitlab.example.com (source acme)" in said["place"]
    for required in (
        "push or schedule",
        "self-hosted",
        "release",
        "https://slsa.dev/provenance/v1",
        "names the job that signed as the one that built",
        "tag = v{version}",
    ):
        assert required in said["requirements"]
    assert said["revoked"].startswith("Version 1.4.0 is refused")


def test_a_package_pinned_by_hash(alone: Path) -> None:
    file = alone / "pytrust.toml"
    file.write_text(file.read_text().replace("expires = 2027-06-30", "expires = 2999-06-30"))
    said = _sections("idna")
    assert list(said) == ["publisher", "place", "exemptions"]
    assert said["publisher"].startswith("Nobody by a signature.")
    assert "3.20: 1 file by digest, until 2999-06-30." in said["exemptions"]
    assert "Reason: publisher does not sign" in said["exemptions"]
    assert said["exemptions"].endswith("Every other version is refused.")


def test_a_pin_by_hash_ends(alone: Path) -> None:
    file = alone / "pytrust.toml"
    text = file.read_text()
    file.write_text(text.replace("expires = 2027-06-30", "expires = 2999-12-31"))
    assert "by digest, until 2999-12-31. This proves" in _sections("idna")["exemptions"]
    file.write_text(text.replace("expires = 2027-06-30", "expires = 2020-02-29"))
    assert _sections("idna")["exemptions"].startswith(
        "3.20: refused, since its last day was 2020-02-29. Reason:"
    )
    assert _sections("idna")["publisher"] == "Nobody: no file of it is accepted."


def test_an_exempt_file_needs_no_signature_and_that_is_said(alone: Path) -> None:
    file = alone / "pytrust.toml"
    text = file.read_text()
    assert _sections("acme-widgets")["publisher"].splitlines()[-1].startswith("A file is accepted only with")
    exempt = (
        '\n[[package]]\nname = "acme-widgets"\nsource = "acme"\nproject = "acme/widgets"\nreason = "old"\n'
        f'[package.sha256]\n"acme_widgets-1.0.tar.gz" = "{"7" * 64}"\n'
    )
    file.write_text(text + exempt)
    said = _sections("acme-widgets")["publisher"].splitlines()[-1]
    assert said.startswith("But for what is exempt below, a file is accepted only with")
    file.write_text(text + exempt.replace("reason", "expires = 2020-02-29\nreason"))
    assert _sections("acme-widgets")["publisher"].splitlines()[-1].startswith("A file is accepted only with")


def test_what_is_revoked_and_not_pinned_is_told_as_that(alone: Path) -> None:
    """A command that pins it is no answer."""
    file = alone / "pytrust.toml"
    file.write_text(file.read_text() + '\n[[revoked]]\nname = "acme-gone"\nreason = "stolen"\n')
    said = _sections("acme-gone")
    assert said["publisher"] == "Nobody: no file of it is accepted."
    assert said["place"] == "Nowhere: it is not pinned."
    assert said["revoked"].startswith("Every version is refused whatever else is said. Reason: stolen")


def test_where_evidence_and_files_of_an_index_are(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = alone / "pytrust.toml"
    template = "https://pypi.org/integrity/{name}/{version}/{filename}/provenance"
    signed = file.read_text().partition("[[package]]")[0] + (
        '[[package]]\nname = "build"\nsource = "pypi"\n[[package.identity]]\n'
        'issuer = "https://token.actions.githubusercontent.com"\n'
        'subject = "https://github.com/pypa/build/.github/workflows/publish.yml@refs/tags/{version}"\n'
    )
    file.write_text(signed)
    monkeypatch.setenv("PIP_WARDEN_MIRROR_PYPI", "https://mirror.example.com/simple")
    assert _sections("build")["place"].splitlines()[1:] == [
        "Here, pages and files come from the mirror https://mirror.example.com/simple, which proves nothing.",
        f"What speaks for its files is looked for at {template}.",
    ]

    monkeypatch.delenv("PIP_WARDEN_MIRROR_PYPI")
    other = signed.replace(f'\nevidence = "{template}"', "").replace(
        "https://pypi.org/simple", "https://index.example.com/simple"
    )
    file.write_text(other)
    assert _sections("build")["place"].endswith("What speaks for its files is where the index's pages say.")


def test_an_account(alone: Path) -> None:
    said = _sections("acme-tools")
    assert said["publisher"].startswith("Whoever signs in as release@example.com.")
    assert "requirements" not in said, "the defaults are about pipelines"
    file = alone / "pytrust.toml"
    file.write_text(file.read_text() + f'[[revoked]]\nsha256 = "{"7" * 64}"\nreason = "x"\n')
    assert _sections("acme-tools")["revoked"] == "1 more by digest alone, which may be files of any package."


def test_as_text(alone: Path) -> None:
    said = typed("trust", "explain", "idna")
    assert said.out.startswith(f"idna  by {alone / 'pytrust.toml'}\n\nWho may publish it\n  * Nobody")


def test_a_name_that_is_not_pinned_names_what_was_meant() -> None:
    said = typed("trust", "explain", "acme-widget")
    assert (said.code, "[not-in-trust-file]: did you mean acme-widgets? expected" in said.err) == (2, True)


def test_t68_what_is_told_is_escaped(alone: Path) -> None:
    file = alone / "pytrust.toml"
    file.write_text(file.read_text().replace('"publisher does not sign', '"pub\\u001b[31mlis\\u202eher'))
    said = typed("trust", "explain", "idna")
    assert (said.code, "\x1b" in said.out, "\u202e" in said.out) == (0, False, False)
