"""What ``trust prune`` takes for the signer of an exempted release: who signed the files that are pinned."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import Said, typed
from pip_warden.digests import Digest
from pip_warden.index.candidate import Candidate
from pip_warden.sandbox import File, Sandbox
from pip_warden.sandbox.faults import Answer
from upkeep.stage import HEAD


@dataclass(frozen=True, kw_only=True)
class Hazel:
    """A package of a wheel and an sdist, pinned by hash, and a stranger who may sign."""

    sandbox: Sandbox
    home: Path
    name: str
    wheel: File
    sdist: File

    @property
    def trust(self) -> Path:
        return self.home / "pytrust.toml"

    def publish(self, *signed: File, by: str = "own") -> None:
        """Put the files on the index; those that are given are signed."""
        self.add(self.wheel, self.sdist, signed=signed, by=by)

    def add(self, *files: File, signed: tuple[File, ...], by: str) -> None:
        job = self.sandbox.job(self.sandbox.project(f"acme/{by}-{self.name}"), "refs/tags/v1.0")
        evidence = {file.name: [*self.sandbox.sign(file, job, ("pep740",)).values()] for file in signed}
        self.sandbox.upstream.add(self.name, files, provenance=evidence)

    def silent(self) -> None:
        """Have the page say no digest."""
        place = self.sandbox.upstream
        links = "".join(
            f'<a href="{place.files_url}{place.file(each.name).path}">{each.name}</a>'
            for each in (self.wheel, self.sdist)
        )
        page = Answer(status=200, body=links.encode(), headers=(("Content-Type", "text/html"),))
        self.sandbox.fault(page, re.compile(f"/simple/{self.name}/"), origin="pypi", times=None)

    def prune(self, answers: str = "y\n") -> Said:
        return typed("trust", "prune", answers=answers)


@pytest.fixture
def hazel(sandbox: Sandbox, home: Path, request: pytest.FixtureRequest) -> Hazel:
    name = "hazel-" + str(request.node.originalname or request.node.name).replace("_", "-")[-40:].strip("-")
    (home / "root").mkdir()
    text = HEAD
    root = File(name="root", data=sandbox.write_trust(home).read_bytes())
    words = {"PYPI": sandbox.upstream.simple_url, "INTEGRITY": sandbox.upstream.integrity_url}
    words |= {"ISSUER": sandbox.issuer, "ROOTSHA256": root.sha256}
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    module = name.replace("-", "_")
    large = {f"{module}/__init__.py": bytes(range(256)) * 40}
    wheel, sdist = sandbox.wheel(name, "1.0", files=large), sandbox.sdist(name, "1.0")
    lines = "".join(f'  "{each.name}" = "{each.sha256}"\n' for each in (wheel, sdist))
    text += f'\n[[package]]\nname = "{name}"\nsource = "pypi"\n\n  [package.sha256]\n{lines}'
    (home / "pytrust.toml").write_text(text, encoding="utf-8")
    return Hazel(sandbox=sandbox, home=home, name=name, wheel=wheel, sdist=sdist)


def test_who_adds_a_file_to_a_release_is_not_taken_for_its_signer(hazel: Hazel) -> None:
    """The smallest wheel of a release is looked at; a stranger's is smaller than those that are pinned."""
    stranger = hazel.sandbox.wheel(hazel.name, "1.0", tag="cp311-none-any")
    hazel.publish()
    hazel.add(stranger, signed=(stranger,), by="stranger")
    before = hazel.trust.read_text(encoding="utf-8")

    said = hazel.prune()

    assert "there is evidence" not in said
    assert (said.code, hazel.trust.read_text(encoding="utf-8")) == (0, before), said.out


def test_a_further_file_does_not_keep_the_signer_of_those_that_are_pinned_away(hazel: Hazel) -> None:
    stranger = hazel.sandbox.wheel(hazel.name, "1.0", tag="cp311-none-any")
    hazel.publish(hazel.wheel, hazel.sdist)
    hazel.add(stranger, signed=(stranger,), by="stranger")

    said = hazel.prune()

    assert "stranger" not in said
    assert (said.code, f"own-{hazel.name}" in hazel.trust.read_text(encoding="utf-8")) == (0, True), said.err


def test_what_is_signed_by_now_must_be_the_bytes_that_are_pinned(hazel: Hazel) -> None:
    """The index has other bytes under the same name, with evidence of their own."""
    other = hazel.sandbox.wheel(hazel.name, "1.0", tag="py3-none-any")
    assert (other.name, other.sha256 != hazel.wheel.sha256) == (hazel.wheel.name, True)
    hazel.add(other, hazel.sdist, signed=(other, hazel.sdist), by="stranger")
    before = hazel.trust.read_text(encoding="utf-8")

    said = hazel.prune()

    assert "stays pinned by hash" in said
    assert "stranger" not in said
    assert (said.code, hazel.trust.read_text(encoding="utf-8")) == (0, before)


def test_bytes_of_which_the_page_says_no_digest_are_compared_too(hazel: Hazel) -> None:
    other = hazel.sandbox.wheel(hazel.name, "1.0", tag="py3-none-any")
    hazel.add(other, hazel.sdist, signed=(other, hazel.sdist), by="stranger")
    hazel.silent()
    before = hazel.trust.read_text(encoding="utf-8")

    said = hazel.prune()
    hazel.sandbox.faults.clear()

    assert "stays pinned by hash" in said
    assert "stranger" not in said
    assert (said.code, hazel.trust.read_text(encoding="utf-8")) == (0, before)


def test_an_exemption_stays_while_one_of_its_files_is_unsigned(hazel: Hazel) -> None:
    """An identity pin refuses what nobody signed: whoever installs the sdist would be locked out."""
    hazel.publish(hazel.wheel)
    before = hazel.trust.read_text(encoding="utf-8")

    said = hazel.prune()

    assert (said.code, hazel.trust.read_text(encoding="utf-8")) == (0, before), said.out
    assert "Pin this signer?" not in said


def test_a_page_that_is_another_the_second_time_is_refused(
    hazel: Hazel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pip_warden.first_use.upkeep import prune as module

    pinned_files = module.pinned_files

    def moved(*given: Any) -> dict[Candidate, Digest]:
        return {
            replace(each, page_url="https://x.example/"): sha for each, sha in pinned_files(*given).items()
        }

    monkeypatch.setattr(module, "pinned_files", moved)
    hazel.publish(hazel.wheel, hazel.sdist)
    before = hazel.trust.read_text(encoding="utf-8")

    said = hazel.prune()

    assert "stays pinned by hash: expected a release 1.0" in said
    assert (said.code, hazel.trust.read_text(encoding="utf-8")) == (0, before)


def test_what_a_pinned_signer_signed_must_be_the_bytes_that_are_pinned(hazel: Hazel) -> None:
    """An exemption may be there because the signer is not trusted with that release."""
    hazel.publish(hazel.wheel, hazel.sdist)
    text = hazel.trust.read_text(encoding="utf-8")
    assert hazel.prune().code == 0
    signer = hazel.trust.read_text(encoding="utf-8").partition("[[package]]")[2]
    hazel.trust.write_text(
        f"{text}\n[[package]]{signer}".replace(hazel.wheel.sha256, "0" * 64), encoding="utf-8"
    )
    before = hazel.trust.read_text(encoding="utf-8")

    said = hazel.prune()

    assert "stays pinned by hash" in said
    assert (said.code, hazel.trust.read_text(encoding="utf-8")) == (0, before)
