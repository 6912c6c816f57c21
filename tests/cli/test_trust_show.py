"""``trust check`` and ``trust show``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.terminal import typed

GOOD = """\
version = 1

[sigstore]
trusted-root = "trusted_root.json"
trusted-root-sha256 = "DIGEST"
issuers = ["https://gitlab.example.com"]

[source.acme]
type = "gitlab"
url = "https://gitlab.example.com"

[source.pypi]
type = "simple"
url = "https://pypi.org/simple"

[[package]]
name = "acme-widgets"
source = "acme"
project = "acme/widgets"
  [[package.identity]]
  issuer = "https://gitlab.example.com"
  subject = "https://gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v{version}"
  project-id = "4711"

[[package]]
name = "idna"
source = "pypi"
version = "3.20"
reason = "reviewed"
sha256 = { "idna-3.20-py3-none-any.whl" = "FILE" }
"""
FILE = "ab" * 32


@pytest.fixture
def file(alone: Path) -> Path:
    path = alone / "pytrust.toml"
    path.write_text(GOOD.replace("FILE", FILE).replace("DIGEST", "cd" * 32))
    return path


def test_three_faults_are_three_paths(file: Path) -> None:
    text = file.read_text().replace('type = "simple"', 'type = "mirror"')
    text = text.replace('issuers = ["https://gitlab.example.com"]', "issuers = []")
    file.write_text(text.replace('reason = "reviewed"', 'reason = ""'))
    said = typed("trust", "check")
    assert said.code == 2
    for path in ("sigstore.issuers", "source.pypi.type", "package[1].reason"):
        assert f"\n  {path}: " in said.err, said.err
    faults = typed("trust", "check", "--format", "json").json["error"]["faults"]
    assert {fault["path"] for fault in faults} >= {"sigstore.issuers", "source.pypi.type"}


def test_root_with_another_digest(file: Path) -> None:
    (file.parent / "trusted_root.json").write_text("{}")
    said = typed("trust", "check")
    assert (said.code, "error[trusted-root-digest]" in said.err) == (3, True), said.err


def test_root_that_is_missing(file: Path) -> None:
    said = typed("trust", "check", "--format", "json")
    assert (said.code, said.json["error"]["code"]) == (3, "trusted-root-missing")
    assert file.exists()


def test_show_as_text(file: Path) -> None:
    said = typed("trust", "show")
    assert said.code == 0
    assert said.out == (
        f"{file}: 1 pinned by identity, 1 by hash, 2 sources, 1 trusted root, 0 revocations\n"
        "\n"
        "acme-widgets  by identity\n"
        "  from    https://gitlab.example.com acme/widgets\n"
        "  signer  https://gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v{version}\n"
        "          issued by https://gitlab.example.com\n"
        "          project id 4711\n"
        "  require build-trigger push\n"
        "\n"
        "idna 3.20  by hash (what, not who)\n"
        "  from    https://pypi.org/simple\n"
        "  reason  reviewed\n"
        f"  file    idna-3.20-py3-none-any.whl  sha256 {FILE}\n"
    )


def test_show_as_json(file: Path) -> None:
    said = typed("trust", "show", "--format", "json", "--trust", str(file))
    document = said.json
    assert next(iter(document)) == "schema_version"
    signed, hashed = document["packages"]
    assert (signed["kind"], signed["identities"][0]["project_id"]) == ("identity", "4711")
    assert (hashed["kind"], hashed["files"]) == ("hash", {"idna-3.20-py3-none-any.whl": FILE})
    assert json.dumps(document).isascii()


def test_show_one(file: Path) -> None:
    assert file.exists()
    said = typed("trust", "show", "Idna")
    assert ("idna 3.20" in said.out, "acme-widgets" in said.out) == (True, False)
    said = typed("trust", "show", "other")
    assert (said.code, "error[not-in-trust-file]" in said.err) == (2, True)


def test_t68_reason_is_shown_escaped(file: Path) -> None:
    file.write_text(file.read_text().replace('"reviewed"', '"re\\u001b[31mvie\\u202ewed"'))
    said = typed("trust", "show")
    assert "\x1b" not in said
    assert "\u202e" not in said
